"""What the commands that ask a judge share: comparisons in, judgments out, with a bar."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import typer

if TYPE_CHECKING:
    from schemas.events import Comparison, Judgment
    from streams.judge.stage import JudgeStage

# Comparisons in the judge at a time, each of them two calls or more.
_IN_FLIGHT = 32


def judge_all(
    stage: "JudgeStage", comparisons: "Sequence[Comparison]", what: str
) -> "dict[str, Judgment]":
    """The judgments by comparison id, through the stage as a worker runs it; closes the stage.

    What got none is told on standard error with its reason. Raises ``Fatal`` where the judge stays
    away.
    """
    import asyncio

    from rich.console import Console
    from rich.progress import Progress

    from schemas.events import Discard, Event, Judgment
    from streams.local import LocalRun, run_local

    console = Console(stderr=True)

    async def judged() -> LocalRun:
        with Progress(console=console, disable=not console.is_terminal) as bar:
            task = bar.add_task(what, total=len(comparisons))

            def advance(_: Event) -> None:
                bar.advance(task)

            try:
                return await run_local([stage], comparisons, _IN_FLIGHT, advance)
            finally:
                await stage.aclose()

    run = asyncio.run(judged())
    for letter in run.dead_letters:
        typer.echo(f"not judged: {letter.message}", err=True)
    for event in run.outputs.get("discards", []):
        if isinstance(event, Discard):
            typer.echo(f"not judged: {event.source_ids[0]}: {event.reason}", err=True)
    made = (event for event in run.outputs.get("judgments", []) if isinstance(event, Judgment))
    return {judgment.comparison.event_id: judgment for judgment in made}
