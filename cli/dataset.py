"""`prefstream dataset`: preferences frozen into rows that can be had again."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from schemas.records import PreferenceSource


class Action(StrEnum):
    """What to do with the folder."""

    FREEZE = "freeze"
    SHOW = "show"
    VERIFY = "verify"


def dataset(
    action: Annotated[Action, typer.Argument(help="freeze, show or verify.")],
    folder: Annotated[Path, typer.Argument(help="Folder of rows.parquet and manifest.json.")],
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
) -> None:
    """Freeze what the preferences topic holds now, show a dataset, or verify one.

    Verify reads the manifest's offsets from the log again and compares the rows' hash; it ends
    with exit code 1 where they differ.

    [bold]Examples[/bold]

      prefstream dataset freeze data/round1 --exclude benchmark.jsonl
      prefstream dataset show data/round1
      prefstream dataset verify data/round1
    """
    from infra.settings import Settings
    from trainer.dataset import load, write
    from trainer.freeze import GATED_SOURCES, FreezeSettings, freeze, settings_of
    from trainer.log_slice import read_preferences
    from trainer.manifest import read_manifest
    from trainer.prompts import prompt_ids, read_prompts

    if action is Action.FREEZE:
        excluded = (prompt_ids(read_prompts(path)) for path in exclude or [])
        frozen = freeze(
            read_preferences(Settings()),
            FreezeSettings(
                sources=tuple(source or GATED_SOURCES),
                judge_config_hash=judge_config,
                excluded_prompt_ids=frozenset().union(*excluded),
            ),
        )
        write(frozen, folder)
    elif action is Action.VERIFY:
        manifest = read_manifest(folder)
        again = freeze(read_preferences(Settings(), manifest.ranges), settings_of(manifest))
        if again.manifest != manifest:
            typer.echo("the log gives other rows than the manifest", err=True)
            raise typer.Exit(1)
    shown = load(folder).manifest
    typer.echo(shown.model_dump_json(indent=2, exclude={"excluded_prompt_ids"}))
    typer.echo(f"manifest hash {shown.manifest_hash}", err=True)
