"""`prefstream dataset`: preferences or labels frozen into rows that can be had again."""

from pathlib import Path
from typing import Annotated

import typer

from cli.dataset_freeze import freeze, show_manifest

app = typer.Typer(
    help="Freeze preferences or labels into rows that can be had again; show, compare, verify.",
    no_args_is_help=True,
    rich_markup_mode="rich",
)
app.command("freeze")(freeze)

Folder = Annotated[Path, typer.Argument(help="Folder of rows.parquet and manifest.json.")]


@app.command("show")
def show(folder: Folder) -> None:
    """The manifest of a frozen dataset.

    [bold]Examples[/bold]

      prefstream dataset show data/round1
      prefstream dataset show data/round1 | jq .counts
    """
    show_manifest(folder)


@app.command("diff")
def diff(
    folder: Folder, other: Annotated[Path, typer.Argument(help="The second dataset's folder.")]
) -> None:
    """What two frozen datasets have in common, and what each has alone.

    [bold]Examples[/bold]

      prefstream dataset diff data/round1 data/round2
    """
    from trainer.dataset import load
    from trainer.dataset_diff import diff as compared

    typer.echo(compared(load(folder), load(other)).model_dump_json(indent=2))


@app.command("verify")
def verify(
    folder: Folder,
    earlier: Annotated[
        list[Path] | None,
        typer.Option(help="The datasets that were named with --earlier when it was frozen."),
    ] = None,
) -> None:
    """Read the manifest's offsets from the log again and compare the rows' hash.

    Exit code 1 where the log gives other rows.

    [bold]Examples[/bold]

      prefstream dataset verify data/round1
      prefstream dataset verify data/round2 --earlier data/round1
    """
    from cli.freezing import staged
    from infra.settings import Settings
    from schemas.errors import ConfigError
    from trainer.dataset import check_rows, stored_rows
    from trainer.freeze import freeze as frozen
    from trainer.freeze import settings_of
    from trainer.manifest import read_manifest

    manifest = read_manifest(folder)
    check_rows(stored_rows(folder, manifest), manifest, folder)
    if not manifest.ranges:
        raise ConfigError(
            f"{folder}: its rows are the manifest's, but they were frozen without Kafka, so there "
            "is no log to read them from again"
        )
    named = earlier or []
    before = sorted(read_manifest(path).manifest_hash for path in named)
    if tuple(before) != manifest.earlier:
        raise ConfigError(
            f"{folder} left out the pairs of {len(manifest.earlier)} earlier datasets; "
            "name exactly those with --earlier"
        )
    with staged(Settings(), manifest, folder) as log:
        if frozen(log, settings_of(manifest), named, None) != manifest:
            typer.echo("the log gives other rows than the manifest", err=True)
            raise typer.Exit(1)
    show_manifest(folder)
