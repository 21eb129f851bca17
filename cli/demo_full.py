"""`prefstream demo --full`: every algorithm, two rounds, several seeds."""

import sys
import time
from pathlib import Path

import typer


def tell_full(data_dir: Path, seeds: int, *, quick: bool, in_process: bool, as_json: bool) -> None:
    """Run what is missing in ``data_dir``, write its report there and show the tables."""
    from rich.console import Console

    from cli.demo import harbor_rules, stage_backend
    from examples.harbor.demo.display import Display
    from examples.harbor.demo.sizes import FULL, QUICK
    from examples.harbor.demo.workspace import take_up
    from examples.harbor.full.html import report
    from examples.harbor.full.story import FullStory
    from examples.harbor.full.table import show_full

    began_s = time.monotonic()
    console = Console(stderr=as_json)
    display = Display(console)
    sizes = QUICK if quick else FULL
    with display.step("make a warehouse and a project, or take up an earlier run's"):
        workspace = take_up(data_dir, sizes.measuring_copies)
    rules = harbor_rules(workspace.project)
    with stage_backend(workspace, console, in_process=in_process) as backend:
        console.print(f"running on {backend.description}", highlight=False)
        story = FullStory(backend, workspace, rules, sizes, range(seeds), display)
        result = story.tell(began_s)
    page = data_dir / "report.html"
    page.write_text(report(result), encoding="utf-8")
    (data_dir / "report.json").write_text(result.model_dump_json(indent=2), encoding="utf-8")
    show_full(result, console)
    console.print(f"report: {page}", highlight=False)
    if as_json:
        typer.echo(result.model_dump_json(by_alias=True))
    if not result.accounting.closed:
        typer.echo("prefstream: events are missing; see the report", err=True)
        sys.exit(1)
