"""`prefstream models`: what is promoted, when, by which run, and whether its files are whole."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from trainer.promotion.model_registry import ModelRegistry

_COLUMNS = ("serves", "version", "moved", "run", "algorithm", "accuracy", "before", "files")


def models(
    verify: Annotated[
        bool, typer.Option("--verify/--no-verify", help="Read every file and compare its hash.")
    ] = True,
    as_json: Annotated[bool, typer.Option("--json", help="One promotion a line.")] = False,
) -> None:
    """List the promotions that stand, the one that serves last. Exit code 1 for damaged files.

    [bold]Examples[/bold]

      prefstream models
      prefstream models --no-verify --json | jq -r .version
    """
    import json

    from rich.console import Console
    from rich.table import Table

    from cli.promotion import registry_of
    from infra.settings import Settings

    registry = registry_of(Settings())
    rows = _rows(registry, verify=verify)
    damaged = any(row["damages"] for row in rows)
    if as_json:
        for row in rows:
            typer.echo(json.dumps(row))
    elif not rows:
        typer.echo(f"nothing is promoted in {registry.root}; see `prefstream promote --help`")
    else:
        workloads = sorted({str(row["workload"]) for row in rows})
        table = Table(title=f"Promoted policies of {', '.join(workloads)} ({registry.alias})")
        for column in _COLUMNS:
            table.add_column(column, overflow="fold")
        for row in rows:
            table.add_row(*_cells(row))
        Console().print(table)
    if damaged:
        raise typer.Exit(1)


def _rows(registry: "ModelRegistry", *, verify: bool) -> list[dict[str, object]]:
    from trainer.promotion.version import damages, read_version

    serving = registry.current()
    rows: list[dict[str, object]] = []
    for move in registry.standing():
        folder = registry.folder(move.version)
        version = read_version(folder)
        rows.append(
            {
                "serves": False,
                "workload": version.workload_id,
                "version": version.name,
                "moved": move.at.isoformat(),
                "run": version.run_id,
                "epoch": move.epoch,
                "algorithm": version.algorithm,
                "accuracy": version.metrics_after.get("accuracy"),
                "before": version.metrics_before.get("accuracy"),
                "folder": str(folder),
                "verified": verify,
                "damages": dict(damages(folder)) if verify else {},
            }
        )
    if rows and rows[-1]["version"] == serving:
        rows[-1]["serves"] = True
    return rows


def _cells(row: Mapping[str, object]) -> list[str]:
    damaged = row["damages"]
    files = ("whole" if row["verified"] else "not read") if not damaged else f"damaged: {damaged}"
    shown = {**row, "serves": "*" if row["serves"] else "", "files": files}
    cells = (shown[column] for column in _COLUMNS)
    return [f"{c:.3f}" if isinstance(c, float) else str("" if c is None else c) for c in cells]
