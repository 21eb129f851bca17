"""`prefstream judge rank`: whole candidate sets ranked by the project's judge."""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from schemas.errors import ConfigError

if TYPE_CHECKING:
    from schemas.events import CandidateSet
    from streams.judge.listwise import Ranked


def rank(
    source: Annotated[Path, typer.Argument(help="JSONL: a prompt with several outputs a line.")],
    project: Annotated[
        Path, typer.Option("--project", "-p", help="Project directory.", file_okay=False)
    ] = Path(),
    as_json: Annotated[bool, typer.Option("--json", help="A ranking a line, as JSON.")] = False,
) -> None:
    """Rank each prompt's answers by the judge's rubric: N calls for N answers, not N (N - 1).

    The judge sees all answers at once, under every rotation of their order, so a taste for a place
    shows: pairs on which the places decided are conflicts. For choosing among answers; nothing is
    published, and training labels come from the judge stage.

    [bold]Examples[/bold]

      prefstream judge rank sets.jsonl --project DIR
      prefstream judge rank sets.jsonl --json | jq .order
    """
    import asyncio

    from rich.console import Console
    from rich.progress import track

    from infra.settings import Settings
    from streams.judge.listwise import ListwiseJudge
    from streams.pipeline import build_judge, load_pipeline

    stage = build_judge(project, Settings())
    members = stage.judges.members if stage.judges else ()
    if len(members) != 1:
        raise ConfigError(f"{project}/pipeline.yaml: one judge ranks, not a panel; set judge.model")
    judge = ListwiseJudge(members[0])
    console = Console(stderr=True)
    sets = list(_sets(source, load_pipeline(project).workload))

    with asyncio.Runner() as runner:
        try:
            for event in track(sets, "rank", console=console, disable=not console.is_terminal):
                _show(event, runner.run(judge.rank(event)), as_json)
        finally:
            runner.run(stage.aclose())


def _sets(source: Path, workload: str) -> "Iterator[CandidateSet]":
    from schemas.events import Completion
    from streams.capture.jsonl_import import LineError, read_jsonl

    for row in read_jsonl(source, workload):
        if isinstance(row, LineError):
            raise ConfigError(str(row))
        if isinstance(row, Completion):
            raise ConfigError(f"{source}: completion {row.event_id} is one answer; give outputs")
        yield row


def _show(event: "CandidateSet", ranked: "Ranked", as_json: bool) -> None:
    import json

    if as_json:
        ids = [event.candidates[number].completion_id for number in ranked.order]
        pairs = [pair.model_dump(mode="json") for pair in ranked.pairs]
        typer.echo(json.dumps({"id": event.event_id, "order": ids, "pairs": pairs}))
        return
    typer.echo(event.messages[-1].content)
    for place, number in enumerate(ranked.order, 1):
        typer.echo(f"  {place}. {event.candidates[number].output}")
