"""`prefstream export`: preferences as a file for a trainer."""

from pathlib import Path
from typing import Annotated

import typer

from consumers.export_rows import UNTAGGED, Format
from schemas.records import PreferenceSource


def export(
    out: Annotated[Path, typer.Argument(help="The JSONL file to write; replaced whole.")],
    source: Annotated[
        list[PreferenceSource] | None,
        typer.Option(case_sensitive=False, help="Only pairs decided by these; default all."),
    ] = None,
    workload: Annotated[str | None, typer.Option(help="Only this workload.")] = None,
    format_: Annotated[
        Format,
        typer.Option("--format", help="Whose trainer is to read it; trl is for DPO and ORPO."),
    ] = Format.TRL,
    dataset: Annotated[
        Path | None,
        typer.Option(help="Of this frozen dataset, not of the topic: without what measures."),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="The report as one JSON object.")] = False,
) -> None:
    """Write the preferences to a file, each row with its source, rubric, teacher and margin.

    Formats: trl (DPO, ORPO), kto (two rows a pair), reward (with a margin), ultrafeedback
    (binarized, chosen and rejected with the prompt), openai (preference fine-tuning, which refuses
    fields it does not know: of pairs.jsonl the tags go to pairs.tags.jsonl, a line a row).
    The topic is written as it is, prompts of anchors and of the benchmark too; a frozen dataset
    holds neither.

    [bold]Examples[/bold]

      prefstream export pairs.jsonl
      prefstream export human.jsonl --source human --workload harbor
      prefstream export unpaired.jsonl --format kto --dataset data/round1
    """
    from consumers.export import export_preferences, logged_preferences, tags_file
    from infra.settings import Settings
    from trainer.dataset import load

    report = export_preferences(
        logged_preferences(Settings()) if dataset is None else load(dataset).rows,
        out,
        sources=tuple(source or PreferenceSource),
        workload_id=workload,
        format_=format_,
    )
    if as_json:
        typer.echo(report.model_dump_json())
        return
    kinds = ", ".join(f"{name} {n:,}" for name, n in report.by_source.items()) or "none"
    typer.echo(f"{report.pairs:,} pairs, {report.rows:,} rows in {out} ({kinds})")
    if format_ in UNTAGGED:
        typer.echo(f"their tags are in {tags_file(out)}")
    typer.echo(
        f"left out: {report.repeated:,} repeated ids, {report.filtered:,} not asked for, "
        f"{report.undecodable:,} undecodable"
    )
