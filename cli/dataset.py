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
    from cli.project import load_project
    from consumers.anchors.held_out import held_out
    from infra.settings import Settings
    from schemas.errors import ConfigError
    from trainer.dataset import load, write
    from trainer.dataset_card import CARD_FILE, card
    from trainer.dataset_diff import diff
    from trainer.freeze import GATED_SOURCES, FreezeSettings, freeze, settings_of
    from trainer.log_slice import read_preferences
    from trainer.prompts import prompt_ids, read_prompts

    before = [load(path) for path in earlier or []]
    if action is Action.DIFF:
        if other is None:
            raise ConfigError("diff compares two datasets; name the second folder too")
        typer.echo(diff(load(folder), load(other)).model_dump_json(indent=2))
        return
    if action is Action.FREEZE:
        settings, log = Settings(), read_preferences(Settings())
        out = held_out(settings, load_project(project).calibration.shares, log.preferences)
        excluded = (prompt_ids(read_prompts(path)) for path in exclude or [])
        wanted = FreezeSettings(
            sources=tuple(source or GATED_SOURCES),
            judge_config_hash=judge_config,
            excluded_prompt_ids=out.prompt_ids.union(*excluded),
        )
        frozen = freeze(log, wanted, before)
        write(frozen, folder)
        (folder / CARD_FILE).write_text(card(frozen), encoding="utf-8")
        typer.echo(
            f"{len(out.measured)} prompts measure and {len(out.repeated)} nearly repeat one of "
            "them; none of their rows is in the dataset",
            err=True,
        )
    shown = load(folder)
    if action is Action.VERIFY:
        if tuple(sorted(each.manifest.manifest_hash for each in before)) != shown.manifest.earlier:
            raise ConfigError(
                f"{folder} left out the pairs of {len(shown.manifest.earlier)} earlier datasets; "
                "name exactly those with --earlier"
            )
        log = read_preferences(Settings(), shown.manifest.ranges)
        if freeze(log, settings_of(shown.manifest), before).manifest != shown.manifest:
            typer.echo("the log gives other rows than the manifest", err=True)
            raise typer.Exit(1)
    typer.echo(shown.manifest.model_dump_json(indent=2, exclude={"excluded_prompt_ids"}))
    typer.echo(f"manifest hash {shown.manifest.manifest_hash}", err=True)
