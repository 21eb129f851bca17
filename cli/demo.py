"""`prefstream demo`: the whole loop on Harbor, the worked example."""

import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from rich.console import Console

    from examples.harbor.demo.backend import Backend
    from examples.harbor.demo.training import Rules
    from examples.harbor.demo.workspace import Workspace


_DIR, _FULL_DIR = Path(".prefstream/demo"), Path(".prefstream/full")


def demo(
    quick: Annotated[
        bool, typer.Option("--quick", help="Less of everything: about two minutes.")
    ] = False,
    full: Annotated[
        bool,
        typer.Option("--full", help="The whole story: ten policies, two rounds, an HTML report."),
    ] = False,
    seeds: Annotated[int, typer.Option(min=1, help="Of each policy, with --full.")] = 3,
    data_dir: Annotated[
        Path | None,
        typer.Option(
            help="Where it works; default .prefstream/demo, which every run begins anew. With "
            "--full .prefstream/full: a run that was cut short goes on there."
        ),
    ] = None,
    in_process: Annotated[
        bool, typer.Option("--in-process", help="No Kafka, even where there is Java.")
    ] = False,
    as_json: Annotated[
        bool, typer.Option("--json", help="The figures as one JSON line on standard output.")
    ] = False,
) -> None:
    """Run the main job on a simulated text-to-SQL copilot, and show what came of it.

    Streams production answers with thumbs through Kafka, verifies and judges samples, trains one
    policy on thumbs and one on the preferences behind the gate, and evaluates both. Without Java
    or Maven the same stages run in this process.

    --full trains SFT's successors by every algorithm on the same pairs, a second round on the
    first one's answers, and each with several seeds; it ends with a report of it all.

    Exit code 1 if an event is missing from the accounts.

    [bold]Examples[/bold]

      prefstream demo
      prefstream demo --quick --json | jq .policies
      prefstream demo --full --seeds 3
    """
    if full:
        from cli.demo_full import tell_full

        tell_full(data_dir or _FULL_DIR, seeds, quick=quick, in_process=in_process, as_json=as_json)
        return
    from rich.console import Console

    from examples.harbor.demo.display import Display
    from examples.harbor.demo.report import show
    from examples.harbor.demo.sizes import FULL, QUICK
    from examples.harbor.demo.story import tell
    from examples.harbor.demo.workspace import lay_out

    began_s = time.monotonic()
    console = Console(stderr=as_json)
    display = Display(console)
    sizes = QUICK if quick else FULL
    with display.step("make a warehouse and a project"):
        workspace = lay_out(data_dir or _DIR, sizes.measuring_copies)
    rules = harbor_rules(workspace.project)
    with stage_backend(workspace, console, in_process=in_process) as backend:
        console.print(f"running on {backend.description}", highlight=False)
        story = tell(backend, workspace, rules, sizes, display, began_s)
    show(story, console)
    if as_json:
        typer.echo(story.result.model_dump_json(by_alias=True))
    if not story.result.accounting.closed:
        typer.echo("prefstream: events are missing; see the accounting above", err=True)
        sys.exit(1)


def harbor_rules(project_dir: Path) -> "Rules":
    """What the project says about everything that follows the stages."""
    from cli.project import load_project
    from examples.harbor.demo.training import Rules
    from trainer.algorithms import ALGORITHMS

    project = load_project(project_dir)
    return Rules(
        pipeline=project,
        calibration=project.calibration,
        gate=project.gate,
        blend=project.blend,
        algorithms={name: getattr(project, name) for name in ALGORITHMS},
    )


def stage_backend(
    workspace: "Workspace", console: "Console", *, in_process: bool
) -> "AbstractContextManager[Backend]":
    """Kafka where it can run, else the stages in this process, saying why."""
    from examples.harbor.demo.kafka_backend import running_on_kafka
    from examples.harbor.demo.local_backend import running_in_process
    from infra.kafka_jars import java_problem
    from infra.settings import Settings

    settings = Settings(data_dir=workspace.root / "stack")
    if in_process:
        return running_in_process(settings, workspace.project)
    if settings.bootstrap_servers is None and (problem := java_problem(settings)):
        console.print(f"[yellow]{problem}[/yellow] The stages run in this process.")
        return running_in_process(settings, workspace.project)
    return running_on_kafka(settings, workspace.project)
