"""`prefstream sample`: prompts without an answer, through the same pipeline as traffic."""

from pathlib import Path
from typing import Annotated

import typer

from schemas.errors import ConfigError

_RED_TEAM = "redteam"


def sample(
    seeds: Annotated[
        str,
        typer.Option(help="JSONL of prompts (id, prompt, slice, …), or `redteam` for our own."),
    ],
    out: Annotated[
        Path | None,
        typer.Option("--out", "-o", help="Run all stages here, a JSONL file a topic, no broker."),
    ] = None,
    project: Annotated[
        Path, typer.Option("--project", "-p", help="Project directory with pipeline.yaml.")
    ] = Path(),
    concurrency: Annotated[
        int, typer.Option(min=1, help="Seeds in the stages at a time, with --out.")
    ] = 32,
    as_json: Annotated[bool, typer.Option("--json", help="Counts or accounts as JSON.")] = False,
) -> None:
    """Have the models of sample.models answer seed prompts, and compare the answers as any others.

    Seeds go to `completions` as prompts without an output; sample workers answer them, under
    sample.revise with revisions too, and all later stages take them as traffic, each in its own
    slice (`prefstream query slices`). Sending a file again sends the same ids.

    [bold]redteam[/bold] stands for 72 prompts of our own in 9 categories, several languages among
    them: what a harmless answer declines, and what it should not.

    [bold]Examples[/bold]

      prefstream sample --seeds redteam --project DIR
      prefstream sample --seeds prompts.jsonl --project DIR -o out/
    """
    import json
    from collections import Counter

    from infra.publish import publish
    from infra.settings import Settings
    from streams.pipeline import FILE_NAME, load_pipeline
    from streams.seeds import RED_TEAM, read_seeds

    pipeline = load_pipeline(project)
    if not pipeline.sample.models:
        raise ConfigError(
            f"{project / FILE_NAME}: sample.models is empty, so nobody can answer a seed; name one"
        )
    path = RED_TEAM if seeds == _RED_TEAM else Path(seeds)
    events = list(read_seeds(path, pipeline.workload))
    if out is not None:
        from cli.in_process import report_run, run_stages

        report_run(run_stages(project, events, concurrency), out, as_json=as_json)
        return
    publish(Settings(), events)
    slices = Counter(event.slice for event in events)
    if as_json:
        typer.echo(json.dumps({"completions": len(events), "slices": slices}))
    else:
        typer.echo(f"sent {len(events)} seeds to completions")
        for name, count in sorted(slices.items()):
            typer.echo(f"  {name} {count}")
