"""`prefstream dataset`: preferences or labels frozen into rows that can be had again."""

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from schemas.records import PreferenceSource


class Action(StrEnum):
    """What to do with the folder."""

    FREEZE = "freeze"
    SHOW = "show"
    DIFF = "diff"
    VERIFY = "verify"


class Topic(StrEnum):
    """What can be frozen."""

    PREFERENCES = "preferences"
    LABELS = "labels"


def dataset(
    action: Annotated[Action, typer.Argument(help="freeze, show, diff or verify.")],
    folder: Annotated[Path, typer.Argument(help="Folder of rows.parquet and manifest.json.")],
    other: Annotated[Path | None, typer.Argument(help="For diff: the second folder.")] = None,
    topic: Annotated[Topic, typer.Option(help="What to freeze.")] = Topic.PREFERENCES,
    offsets: Annotated[
        list[str] | None,
        typer.Option(
            "--range",
            help="PARTITION:FIRST-LAST of the topic (0:100-199; 0:100- to the end); default all.",
        ),
    ] = None,
    source: Annotated[
        list[PreferenceSource] | None,
        typer.Option(
            case_sensitive=False, help="Sources to freeze; default rlaif, verifier, human."
        ),
    ] = None,
    rubric: Annotated[
        str | None,
        typer.Option(help="ID or ID/VERSION: only pairs that were decided under that rubric."),
    ] = None,
    judge_config: Annotated[
        str | None,
        typer.Option(
            help="The judge_config_hash of the rlaif rows, if several; `current`: the project's."
        ),
    ] = None,
    workload: Annotated[
        str | None,
        typer.Option(help="Whose rows to freeze; default the project's; `all`: every workload's."),
    ] = None,
    exclude: Annotated[
        list[Path] | None, typer.Option(help="JSONL of prompts that must stay out.")
    ] = None,
    project: Annotated[
        Path,
        typer.Option(
            help="For freeze: directory with pipeline.yaml, whose workload it is of and whose "
            "splits hold anchors out."
        ),
    ] = Path(),
    earlier: Annotated[
        list[Path] | None, typer.Option(help="Datasets trained on before; their pairs stay out.")
    ] = None,
) -> None:
    """Freeze what the topic holds now, or a range of it, of a workload; show, compare or verify.

    Freeze writes rows.parquet, manifest.json and a dataset card (README.md). Anchors of the
    calibration and holdout splits, the project's promotion.prompts and --exclude stay out, with the
    prompts that nearly repeat one of them. Of labels all of the workload stay, each once, as people
    gave them. Verify reads the manifest's offsets from the log again and compares the rows' hash;
    it ends with exit code 1 where they differ.

    [bold]Examples[/bold]

      prefstream dataset freeze data/round1 --exclude benchmark.jsonl
      prefstream dataset freeze data/round2 --earlier data/round1
      prefstream dataset freeze data/march --range 0:1000-1999 --range 1:980-1903
      prefstream dataset freeze data/faithful --rubric shop-faithful/2
      prefstream dataset freeze data/labels --topic labels --workload shop
      prefstream dataset show data/round1
      prefstream dataset diff data/round1 data/round2
      prefstream dataset verify data/round1
    """
    from schemas.errors import ConfigError
    from trainer.dataset import load
    from trainer.dataset_diff import diff
    from trainer.manifest import read_manifest

    if action is Action.DIFF:
        if other is None:
            raise ConfigError("diff compares two datasets; name the second folder too")
        typer.echo(diff(load(folder), load(other)).model_dump_json(indent=2))
        return
    if action is Action.FREEZE and topic is Topic.LABELS:
        if source or rubric or judge_config or exclude or earlier:
            raise ConfigError(
                "--source, --rubric, --judge-config, --exclude and --earlier choose among pairs; "
                "labels are frozen whole: leave them out"
            )
        _freeze_labels(folder, workload, offsets or [], project)
    elif action is Action.FREEZE:
        wanted = _Pairs(
            workload=workload,
            offsets=offsets or [],
            sources=tuple(source or ()),
            rubric=rubric,
            judge=judge_config,
            exclude=exclude or [],
            earlier=earlier or [],
        )
        _freeze(folder, wanted, project)
    if action is Action.VERIFY:
        _verify(folder, earlier or [])
    shown = read_manifest(folder)
    typer.echo(shown.model_dump_json(indent=2, exclude={"excluded_prompt_ids"}))
    typer.echo(f"manifest hash {shown.manifest_hash}", err=True)


@dataclass(frozen=True, kw_only=True)
class _Pairs:
    """Which pairs were asked for."""

    workload: str | None
    offsets: list[str]
    sources: tuple[PreferenceSource, ...]
    rubric: str | None
    judge: str | None
    exclude: list[Path]
    earlier: list[Path]


def _freeze(folder: Path, asked: _Pairs, project: Path) -> None:
    from cli.current_judge import judge_config
    from cli.freezing import kept_out, staged, workload_id
    from cli.project import load_project
    from infra.settings import Settings
    from infra.topic_log import TopicLog
    from schemas.events import Preference
    from trainer.dataset_card import write_card
    from trainer.freeze import GATED_SOURCES, FreezeSettings, freeze
    from trainer.prompts import Prompt, read_prompts

    settings, loaded = Settings(), load_project(project)
    named = [
        prompt for path in asked.exclude for prompt in read_prompts(path, Prompt, loaded.workload)
    ]
    workload = workload_id(asked.workload, project)
    with staged(settings, Preference, folder, asked.offsets) as log:
        out = kept_out(TopicLog(settings), loaded, project, log.prompts(workload), named)
        wanted = FreezeSettings(
            workload_id=workload,
            sources=asked.sources or GATED_SOURCES,
            rubric=asked.rubric,
            judge_config_hash=judge_config(asked.judge, loaded, project, settings),
            excluded_prompt_ids=out.prompt_ids,
        )
        freeze(log, wanted, asked.earlier, folder)
    write_card(folder)
    typer.echo(
        f"{len(out.measured)} prompts measure and {len(out.repeated)} nearly repeat one of "
        "them; none of their rows is in the dataset",
        err=True,
    )


def _freeze_labels(folder: Path, workload: str | None, offsets: list[str], project: Path) -> None:
    from cli.freezing import staged, workload_id
    from infra.settings import Settings
    from schemas.events import Label
    from trainer.dataset_card import write_card
    from trainer.freeze import FreezeSettings, freeze

    wanted = FreezeSettings(workload_id=workload_id(workload, project), sources=())
    with staged(Settings(), Label, folder, offsets) as log:
        freeze(log, wanted, (), folder)
    write_card(folder)


def _verify(folder: Path, earlier: list[Path]) -> None:
    """Exit code 1 where the log gives other rows, ``ConfigError`` where the folder holds others."""
    from cli.freezing import staged
    from infra.settings import Settings
    from schemas.errors import ConfigError
    from trainer.dataset import check_rows, stored_rows
    from trainer.freeze import freeze, settings_of
    from trainer.manifest import read_manifest

    manifest = read_manifest(folder)
    check_rows(stored_rows(folder, manifest), manifest, folder)
    before = sorted(read_manifest(path).manifest_hash for path in earlier)
    if tuple(before) != manifest.earlier:
        raise ConfigError(
            f"{folder} left out the pairs of {len(manifest.earlier)} earlier datasets; "
            "name exactly those with --earlier"
        )
    with staged(Settings(), manifest, folder) as log:
        if freeze(log, settings_of(manifest), earlier, None) != manifest:
            typer.echo("the log gives other rows than the manifest", err=True)
            raise typer.Exit(1)
