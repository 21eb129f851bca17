"""`prefstream import`: a file of answers into the topics."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from collections import Counter

    from schemas.events import Event


def import_file(
    source: Annotated[Path, typer.Argument(help="JSONL: one completion or candidate set a line.")],
    project: Annotated[
        Path, typer.Option("--project", "-p", help="Project directory with pipeline.yaml.")
    ] = Path(),
    as_json: Annotated[bool, typer.Option("--json", help="The counts as one JSON object.")] = False,
) -> None:
    """Publish the completions and candidate sets of a file, its bad lines as dead letters.

    Importing a file again publishes the same ids, so nothing is counted twice.

    [bold]Examples[/bold]

      prefstream import answers.jsonl --project examples/harbor/project
    """
    from collections import Counter

    from infra.publish import publish
    from infra.settings import Settings
    from streams.pipeline import load_pipeline

    counts: Counter[str] = Counter()
    publish(Settings(), _events(source, load_pipeline(project).workload, counts))
    if as_json:
        typer.echo(json.dumps(dict(counts)))
    else:
        typer.echo(", ".join(f"{topic} {n}" for topic, n in counts.items()) or "nothing to import")


def _events(source: Path, workload: str, counts: "Counter[str]") -> "Iterator[Event]":
    from schemas.events import TOPICS
    from streams.capture.jsonl_import import LineError, read_jsonl, to_dead_letter

    for row in read_jsonl(source, workload):
        event: Event = row if not isinstance(row, LineError) else to_dead_letter(row)
        if isinstance(row, LineError):
            typer.echo(str(row), err=True)
        counts[TOPICS[type(event)]] += 1
        yield event
