"""`prefstream dataset freeze`: what a topic holds, as rows on disk."""

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from schemas.records import PreferenceSource


class Topic(StrEnum):
    """What can be frozen."""

    PREFERENCES = "preferences"
    LABELS = "labels"


def freeze(
    folder: Annotated[
        Path, typer.Argument(help="Folder for rows.parquet, manifest.json and README.md.")
    ],
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
            help="Directory with pipeline.yaml, whose workload it is of and whose "
            "splits hold anchors out."
        ),
    ] = Path(),
    earlier: Annotated[
        list[Path] | None, typer.Option(help="Datasets trained on before; their pairs stay out.")
    ] = None,
) -> None:
    """Freeze what the topic holds now, or a range of it, of a workload.

    Writes rows.parquet, manifest.json and a dataset card (README.md). Anchors of the calibration
    and holdout splits, the project's promotion.prompts and --exclude stay out, with the prompts
    that nearly repeat one of them. Of labels all of the workload stay, each once, as people gave
    them.

    [bold]Examples[/bold]

      prefstream dataset freeze data/round1 --exclude benchmark.jsonl
      prefstream dataset freeze data/round2 --earlier data/round1
      prefstream dataset freeze data/march --range 0:1000-1999 --range 1:980-1903
      prefstream dataset freeze data/faithful --rubric shop-faithful/2
      prefstream dataset freeze data/labels --topic labels --workload shop
    """
    from schemas.errors import ConfigError

    if topic is Topic.LABELS:
        if source or rubric or judge_config or exclude or earlier:
            raise ConfigError(
                "--source, --rubric, --judge-config, --exclude and --earlier choose among pairs; "
                "labels are frozen whole: leave them out"
            )
        _freeze_labels(folder, workload, offsets or [], project)
    else:
        wanted = _Pairs(
            workload=workload,
            offsets=offsets or [],
            sources=tuple(source or ()),
            rubric=rubric,
            judge=judge_config,
            exclude=exclude or [],
            earlier=earlier or [],
        )
        _freeze_pairs(folder, wanted, project)
    show_manifest(folder)


def show_manifest(folder: Path) -> None:
    """Print a frozen dataset's manifest as JSON, and its hash on standard error."""
    from trainer.manifest import PROMPT_LISTS, read_manifest

    manifest = read_manifest(folder)
    typer.echo(manifest.model_dump_json(indent=2, exclude=set(PROMPT_LISTS)))
    typer.echo(f"manifest hash {manifest.manifest_hash}", err=True)


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


def _freeze_pairs(folder: Path, asked: _Pairs, project: Path) -> None:
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
