"""`prefstream promote`: a trained policy into production, if its gates after training pass."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from cli.promotion import Promotion
    from infra.settings import Settings
    from schemas.events import Run
    from schemas.records import Verdict


def promote(
    target: Annotated[
        str, typer.Argument(help="Id of a run (or how it begins), or the folder that it trained.")
    ],
    project: Annotated[
        Path, typer.Option(help="Project directory with pipeline.yaml.", file_okay=False)
    ] = Path(),
    prompts: Annotated[
        Path | None,
        typer.Option(help="JSONL of held-out prompts; default promotion.prompts of pipeline.yaml."),
    ] = None,
    epoch: Annotated[int | None, typer.Option(hidden=True)] = None,
    lease_s: Annotated[
        float | None,
        typer.Option(hidden=True, help="Live by what is written to standard input."),
    ] = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="The run event as one object; progress on stderr.")
    ] = False,
) -> None:
    """Compare a policy with the one that serves, and let it serve if every gate passes.

    Copies the checkpoint into an immutable version (model card, dataset manifest, metrics, hashes)
    and moves `models/production` to it by one rename. Exit code 1 (a gate failed) or 2 (not known
    well enough) where it does not; the alias is then where it was. A run trained --ungated is
    never promoted.

    [bold]Examples[/bold]

      prefstream promote 3f2a90c1 --project examples/harbor/project
      prefstream promote checkpoints/round1 --prompts held-out.jsonl --json
    """
    from cli.gate import EXIT_CODES
    from cli.promotion import Promotion
    from infra.lease import live_by
    from infra.settings import Settings

    if lease_s is not None:
        live_by(sys.stdin.fileno(), lease_s)
    how = Promotion(project_dir=project, prompts=prompts, epoch=epoch)
    run = _with_progress(Settings(), target, how)
    if as_json:
        typer.echo(run.model_dump_json(exclude={"offset_ranges", "source_ids"}))
    else:
        show_promotion(run)
    raise typer.Exit(EXIT_CODES[promotion_verdict(run)])


def promotion_verdict(run: "Run") -> "Verdict":
    """PASS where it was promoted, else what its gates said."""
    from schemas.records import RunStatus, Verdict
    from trainer.gate_rules import worst

    return Verdict.PASS if run.status is RunStatus.PROMOTED else worst(run.gates)


def show_promotion(run: "Run") -> None:
    """Every gate after training, and what came of it."""
    from cli.gate import show_gates

    show_gates(run.gates)
    typer.echo(f"run {run.run_id}: {run.status} {run.detail}".rstrip())
    if run.status == "PROMOTED":
        typer.echo(f"policy in {run.checkpoint}")


def _with_progress(settings: "Settings", target: str, how: "Promotion") -> "Run":
    from dataclasses import replace

    from rich.console import Console

    from cli.promotion import find_run, promote_run

    console = Console(stderr=True)
    with console.status("reading the runs") as status:
        return promote_run(settings, find_run(settings, target), replace(how, step=status.update))
