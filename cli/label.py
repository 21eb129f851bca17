"""`prefstream label`: a file of answers into preferences, all stages in this process."""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from schemas.events import CandidateSet, Completion, DeadLetter


def label(
    source: Annotated[Path, typer.Argument(help="JSONL: one completion or candidate set a line.")],
    out: Annotated[Path, typer.Option("--out", "-o", help="Folder for one JSONL file a topic.")],
    project: Annotated[
        Path, typer.Option("--project", "-p", help="Project directory with pipeline.yaml.")
    ] = Path(),
    concurrency: Annotated[int, typer.Option(min=1, help="Events in the stages at a time.")] = 32,
    as_json: Annotated[
        bool, typer.Option("--json", help="The accounts as one JSON object.")
    ] = False,
) -> None:
    """Sample, verify, pair, judge and filter the answers in a file; no broker is needed.

    Writes OUT/<topic>.jsonl for every topic, discards and dead letters among them, and shows where
    every line went. Exit code 1 if a line is missing from the accounts.

    [bold]Examples[/bold]

      prefstream label answers.jsonl -o out/ --project examples/harbor/project
      prefstream label answers.jsonl -o out/ --json | jq .stages.filter
    """
    from cli.in_process import report_run, run_stages
    from streams.pipeline import load_pipeline

    workload = load_pipeline(project).workload
    refused: list[DeadLetter] = []
    run = run_stages(project, _events(source, workload, refused), concurrency)
    for letter in refused:
        run.add(letter)
    if not as_json:
        typer.echo(f"{len(refused)} lines of {source} were no rows (see {out}/dead-letters.jsonl)")
    report_run(run, out, as_json=as_json)


def _events(
    source: Path, workload: str, refused: "list[DeadLetter]"
) -> "Iterator[Completion | CandidateSet]":
    """The file's events with a bar on standard error; what is no row goes to ``refused``."""
    from rich.console import Console
    from rich.progress import track

    from streams.capture.jsonl_import import LineError, read_jsonl, to_dead_letter

    console = Console(stderr=True)
    rows = read_jsonl(source, workload)
    for row in track(rows, description="label", console=console, disable=not console.is_terminal):
        if isinstance(row, LineError):
            console.print(str(row), style="yellow", markup=False, highlight=False)
            refused.append(to_dead_letter(row))
        else:
            yield row
