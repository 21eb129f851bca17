"""`prefstream export`: preferences as a file for TRL."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from schemas.records import PreferenceSource


class Format(StrEnum):
    """How the rows are written."""

    TRL = "trl"


def export(
    out: Annotated[Path, typer.Argument(help="The JSONL file to write; replaced whole.")],
    source: Annotated[
        list[PreferenceSource] | None,
        typer.Option(case_sensitive=False, help="Only pairs decided by these; default all."),
    ] = None,
    workload: Annotated[str | None, typer.Option(help="Only this workload.")] = None,
    format_: Annotated[
        Format, typer.Option("--format", help="trl: conversational preference rows.")
    ] = Format.TRL,
    as_json: Annotated[bool, typer.Option("--json", help="The report as one JSON object.")] = False,
) -> None:
    """Write the preferences to a file that TRL's DPO, ORPO and reward trainers read.

    [bold]Examples[/bold]

      prefstream export pairs.jsonl
      prefstream export human.jsonl --source human --workload harbor
    """
    from consumers.export import export_preferences
    from infra.settings import Settings

    assert format_ is Format.TRL
    report = export_preferences(
        Settings(),
        out,
        sources=tuple(source or PreferenceSource),
        workload_id=workload,
    )
    if as_json:
        typer.echo(report.model_dump_json())
        return
    kinds = ", ".join(f"{name} {n:,}" for name, n in report.by_source.items()) or "none"
    typer.echo(f"{report.rows:,} pairs in {out} ({kinds})")
    typer.echo(
        f"left out: {report.repeated:,} repeated ids, {report.filtered:,} not asked for, "
        f"{report.undecodable:,} undecodable"
    )
