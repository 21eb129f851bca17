"""`prefstream dataset`: preferences frozen into rows that can be had again."""

from collections.abc import Iterator
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from schemas.records import PreferenceSource

if TYPE_CHECKING:
    from infra.settings import Settings
    from trainer.manifest import Manifest
    from trainer.staged_log import StagedLog


class Action(StrEnum):
    """What to do with the folder."""

    FREEZE = "freeze"
    SHOW = "show"
    DIFF = "diff"
    VERIFY = "verify"


def dataset(
    action: Annotated[Action, typer.Argument(help="freeze, show, diff or verify.")],
    folder: Annotated[Path, typer.Argument(help="Folder of rows.parquet and manifest.json.")],
    other: Annotated[Path | None, typer.Argument(help="For diff: the second folder.")] = None,
    source: Annotated[
        list[PreferenceSource] | None,
        typer.Option(
            case_sensitive=False, help="Sources to freeze; default rlaif, verifier, human."
        ),
    ] = None,
    judge_config: Annotated[
        str | None, typer.Option(help="The judge_config_hash of the rlaif rows, if several.")
    ] = None,
    exclude: Annotated[
        list[Path] | None, typer.Option(help="JSONL of prompts that must stay out.")
    ] = None,
    project: Annotated[
        Path,
        typer.Option(
            help="For freeze: directory with pipeline.yaml, whose splits hold anchors out."
        ),
    ] = Path(),
    earlier: Annotated[
        list[Path] | None, typer.Option(help="Datasets trained on before; their pairs stay out.")
    ] = None,
) -> None:
    """Freeze what the preferences topic holds now; show, compare or verify datasets.

    Freeze writes rows.parquet, manifest.json and a dataset card (README.md). Anchors of the
    calibration and holdout splits stay out, with the prompts that nearly repeat theirs. Verify
    reads the manifest's offsets from the log again and compares the rows' hash; it ends with exit
    code 1 where they differ.

    [bold]Examples[/bold]

      prefstream dataset freeze data/round1 --exclude benchmark.jsonl
      prefstream dataset freeze data/round2 --earlier data/round1
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
    if action is Action.FREEZE:
        _freeze(folder, tuple(source or ()), judge_config, exclude or [], earlier or [], project)
    if action is Action.VERIFY:
        _verify(folder, earlier or [])
    shown = read_manifest(folder)
    typer.echo(shown.model_dump_json(indent=2, exclude={"excluded_prompt_ids"}))
    typer.echo(f"manifest hash {shown.manifest_hash}", err=True)


def _freeze(
    folder: Path,
    sources: tuple[PreferenceSource, ...],
    judge_config: str | None,
    exclude: list[Path],
    earlier: list[Path],
    project: Path,
) -> None:
    from cli.project import load_project
    from consumers.anchors.held_out import held_out
    from infra.settings import Settings
    from infra.topic_log import TopicLog
    from trainer.dataset_card import write_card
    from trainer.freeze import GATED_SOURCES, FreezeSettings
    from trainer.freeze_log import freeze_log
    from trainer.prompts import prompt_ids, read_prompts

    settings = Settings()
    with _staged(settings, folder) as log:
        out = held_out(TopicLog(settings), load_project(project).calibration.shares, log.prompts())
        excluded = (prompt_ids(read_prompts(path)) for path in exclude)
        wanted = FreezeSettings(
            sources=sources or GATED_SOURCES,
            judge_config_hash=judge_config,
            excluded_prompt_ids=out.prompt_ids.union(*excluded),
        )
        freeze_log(log, wanted, earlier, folder)
    write_card(folder)
    typer.echo(
        f"{len(out.measured)} prompts measure and {len(out.repeated)} nearly repeat one of "
        "them; none of their rows is in the dataset",
        err=True,
    )


def _verify(folder: Path, earlier: list[Path]) -> None:
    """Exit code 1 where the log gives other rows, ``ConfigError`` where the folder holds others."""
    from infra.settings import Settings
    from schemas.errors import ConfigError
    from trainer.dataset import check_rows, stored_rows
    from trainer.freeze import settings_of
    from trainer.freeze_log import freeze_log
    from trainer.manifest import read_manifest

    manifest = read_manifest(folder)
    check_rows(stored_rows(folder), manifest, folder)
    before = sorted(read_manifest(path).manifest_hash for path in earlier)
    if tuple(before) != manifest.earlier:
        raise ConfigError(
            f"{folder} left out the pairs of {len(manifest.earlier)} earlier datasets; "
            "name exactly those with --earlier"
        )
    with _staged(Settings(), folder, manifest) as log:
        if freeze_log(log, settings_of(manifest), earlier, None) != manifest:
            typer.echo("the log gives other rows than the manifest", err=True)
            raise typer.Exit(1)


@contextmanager
def _staged(
    settings: "Settings", folder: Path, manifest: "Manifest | None" = None
) -> "Iterator[StagedLog]":
    """The manifest's part of the log, or all of the topic as it is now, on disk by ``folder``."""
    import tempfile

    from infra.topic_log import read_values, snapshot
    from schemas.events import TOPICS, Preference
    from trainer.row_hash import row_schema
    from trainer.staged_log import stage

    ranges = manifest.ranges if manifest else snapshot(settings, TOPICS[Preference])
    schema = row_schema(manifest.row_schema if manifest else None)
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=f".{folder.name}.", dir=folder.parent) as scratch:
        yield stage(read_values(settings, ranges), ranges, schema, Path(scratch))
