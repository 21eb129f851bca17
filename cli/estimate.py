"""`prefstream estimate`: what labelling a file would ask of models, and cost at most."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from schemas.events import CandidateSet, Completion
    from streams.dry_run import Asked


def estimate(
    source: Annotated[Path, typer.Argument(help="JSONL: one completion or candidate set a line.")],
    project: Annotated[
        Path, typer.Option("--project", "-p", help="Project directory with pipeline.yaml.")
    ] = Path(),
    as_json: Annotated[bool, typer.Option("--json", help="One object.")] = False,
) -> None:
    """Count calls, tokens and USD of `prefstream label` on a file, at most; nobody is asked.

    As if no verifier decided a pair and every answer took all of its room. Tokens are counted by
    the tokenizer of a local model folder, else as characters divided by 4. Prices are those of
    inference.prices in pipeline.yaml.

    [bold]Examples[/bold]

      prefstream estimate answers.jsonl --project examples/harbor/project
      prefstream estimate answers.jsonl --json | jq .usd
    """
    import asyncio
    import json

    from infra.settings import Settings
    from streams.dry_run import dry_run
    from streams.pipeline import load_pipeline

    pipeline = load_pipeline(project)
    found = asyncio.run(dry_run(_rows(source, pipeline.workload), project, Settings()))
    known = [one.usd for one in found if one.usd is not None]
    usd = sum(known) if known else None
    if as_json:
        models = [one.model_dump(mode="json") for one in found]
        typer.echo(json.dumps({"models": models, "usd": usd}))
        return
    _print(found)
    if usd is None:
        typer.echo("USD: no price is known; see inference.prices in pipeline.yaml")
        return
    typer.echo(f"USD at most: {usd:,.2f}")
    limit_usd = pipeline.inference.budget.total_usd
    if limit_usd is not None and usd > limit_usd:
        typer.echo(f"that is more than inference.budget.total_usd, {limit_usd:g}: it may pause")


def _rows(source: Path, workload: str) -> "Iterator[Completion | CandidateSet]":
    """The file's events with a bar on standard error; lines that are no rows cost nothing."""
    from rich.console import Console
    from rich.progress import track

    from streams.capture.jsonl_import import LineError, read_jsonl

    console = Console(stderr=True)
    rows = read_jsonl(source, workload)
    for row in track(rows, "estimate", console=console, disable=not console.is_terminal):
        if not isinstance(row, LineError):
            yield row


def _print(found: "Sequence[Asked]") -> None:
    from rich.console import Console
    from rich.table import Table

    table = Table(title="At most")
    for column in ("stage", "model", "calls", "tokens in", "tokens out", "counted by", "USD"):
        table.add_column(column, justify="left" if column in ("stage", "model") else "right")
    for one in found:
        usd = "–" if one.usd is None else f"{one.usd:,.4f}"
        numbers = (f"{n:,}" for n in (one.calls, one.input_tokens, one.output_tokens))
        table.add_row(one.stage, one.model, *numbers, one.counted_by, usd)
    Console().print(table)
