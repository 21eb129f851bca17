"""`prefstream doctor`: what this machine can do, proven and not assumed."""

import json
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from rich.table import Table

    from streams.verify.sandbox.examine import Examination


class Part(StrEnum):
    """What is looked at."""

    SANDBOX = "sandbox"


def doctor(
    part: Annotated[Part, typer.Argument(help="What to look at.")],
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object.")] = False,
) -> None:
    """Show which protections of the sandbox are active here, and attack it to prove them.

    Exit code 0 where untrusted SQL and code may run on this machine, 1 where not.

    [bold]Examples[/bold]

      prefstream doctor sandbox
      prefstream doctor sandbox --json
    """
    from streams.verify.sandbox.examine import examine_now

    assert part is Part.SANDBOX
    found = examine_now()
    if as_json:
        typer.echo(json.dumps(_as_json(found), indent=2))
    else:
        _print(found)
    if not found.holds:
        raise typer.Exit(1)


def _as_json(found: "Examination") -> dict[str, Any]:
    return {
        "holds": found.holds,
        "missing": found.missing,
        "protections": found.protections,
        "probes": [
            {
                "attack": probe.attack.function,
                "child": probe.child,
                "held": probe.held,
                "happened": probe.happened,
                "protections": list(probe.attack.protections),
            }
            for probe in found.probes
        ],
    }


def _print(found: "Examination") -> None:
    from rich.console import Console

    console = Console()
    console.print(_protections(found), _probes(found))
    for kind, missing in found.missing.items():
        if missing:
            lacks = "; ".join(f"{name} ({why})" for name, why in missing.items())
            console.print(f"[red]untrusted {kind} does not run here[/red]; missing: {lacks}")
        else:
            console.print(f"[green]untrusted {kind} may run here[/green]")


def _protections(found: "Examination") -> "Table":
    from rich.markup import escape
    from rich.table import Table

    from streams.verify.sandbox.confine import ACTIVE
    from streams.verify.sandbox.floor import CODE_FLOOR, SQL_FLOOR

    floors = {"sql": SQL_FLOOR.required, "code": CODE_FLOOR.required}
    table = Table(title="Protections (* must be active)")
    for column in ("protection", "SQL child", "code child"):
        table.add_column(column, overflow="fold")
    for name in dict.fromkeys(name for report in found.protections.values() for name in report):
        cells = []
        for kind, report in found.protections.items():
            state = report.get(name, "–")
            mark = "*" if name in floors[kind] else ""
            colour = "green" if state == ACTIVE else "dim" if state == "–" else "red"
            cells.append(f"[{colour}]{escape(state)}[/{colour}]{mark}")
        table.add_row(name, *cells)
    return table


def _probes(found: "Examination") -> "Table":
    from rich.markup import escape
    from rich.table import Table

    table = Table(title="Attacks from within real children, and what stopped them")
    for column in ("attack", "SQL child", "code child"):
        table.add_column(column, overflow="fold")
    rows: dict[str, list[str]] = {}
    for probe in found.probes:
        held = "[green]held[/green]" if probe.held else "[red]GOT THROUGH[/red]"
        rows.setdefault(probe.attack.title, []).append(f"{held}: {escape(probe.happened)}")
    for title, cells in rows.items():
        table.add_row(title, *cells)
    return table
