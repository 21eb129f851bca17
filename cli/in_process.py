"""All stages of a project in this process, and what a run of them made: `label` and `sample`."""

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

import typer

if TYPE_CHECKING:
    from schemas.events import Event
    from streams.local import LocalRun


def run_stages(project: Path, events: "Iterable[Event]", concurrency: int) -> "LocalRun":
    """Everything that the project's stages make of the events."""
    import asyncio

    from infra.settings import Settings
    from streams.local import LocalRun, run_local
    from streams.pipeline import build_stage
    from streams.topology import STAGE_INPUTS

    settings = Settings()
    stages = [build_stage(name, project, settings) for name in STAGE_INPUTS]

    async def run() -> LocalRun:
        try:
            return await run_local(stages, events, concurrency=concurrency)
        finally:
            for stage in stages:
                await stage.aclose()

    return asyncio.run(run())


def report_run(run: "LocalRun", out: Path, *, as_json: bool) -> None:
    """Write OUT/<topic>.jsonl and print the accounts; exit code 1 where they do not close."""
    from cli.query import print_accounts
    from consumers.accounting import close_accounts, flows_of_run
    from consumers.topic_files import write_topics

    written = write_topics(run.outputs, out)
    accounts = close_accounts(flows_of_run(run))
    if as_json:
        typer.echo(accounts.model_dump_json(by_alias=True))
    else:
        print_accounts(accounts)
        typer.echo("wrote " + ", ".join(f"{name} ({count})" for name, count in written.items()))
    if not accounts.closed:
        raise typer.Exit(1)
