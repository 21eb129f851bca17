"""`prefstream train`: a new policy from preferences, if the gates let it."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from schemas.records import PreferenceSource

if TYPE_CHECKING:
    from cli.training_request import TrainingRequest
    from schemas.events import Run
    from trainer.run import RunOutcome

_WATCHED = {
    "loss": "loss",
    "rewards/margins": "margin",
    "rewards/accuracies": "accuracy",
    # of the reward trainer
    "margin": "margin",
    "accuracy": "accuracy",
    # of the online trainers
    "reward": "reward",
    "kl": "kl",
    "completions/mean_length": "length",
}


def train(
    policy: Annotated[Path, typer.Option(help="Checkpoint folder to start from.")],
    out: Annotated[Path, typer.Option(help="New folder for the trained policy.")],
    algorithm: Annotated[
        str, typer.Option(help="sft, dpo, orpo, simpo, kto, rloo, grpo or reward (a reward model).")
    ] = "dpo",
    manifest: Annotated[
        Path | None, typer.Option(help="Train on this frozen dataset (folder or manifest.json).")
    ] = None,
    from_topic: Annotated[
        bool, typer.Option("--from-topic", help="Freeze what the preferences topic holds now.")
    ] = False,
    project: Annotated[
        Path, typer.Option(help="Project directory with pipeline.yaml.", file_okay=False)
    ] = Path(),
    prompts: Annotated[
        Path | None,
        typer.Option(help="JSONL of held-out prompts to evaluate on; kept out of training."),
    ] = None,
    exclude: Annotated[
        list[Path] | None,
        typer.Option(
            help="More JSONL of prompts that must stay out; a --manifest with them is refused."
        ),
    ] = None,
    offsets: Annotated[
        list[str] | None,
        typer.Option(
            "--range", help="Of the topic only PARTITION:FIRST-LAST, as `dataset freeze`."
        ),
    ] = None,
    source: Annotated[
        list[PreferenceSource] | None,
        typer.Option(case_sensitive=False, help="Sources; default rlaif, verifier, human."),
    ] = None,
    judge_config: Annotated[
        str | None,
        typer.Option(
            help="The judge_config_hash of the rlaif rows, if several; `current`: the project's."
        ),
    ] = None,
    ungated: Annotated[
        bool,
        typer.Option(
            "--ungated", help="A baseline: no gate, no blend; recorded, and never promoted."
        ),
    ] = False,
    promote: Annotated[
        bool,
        typer.Option("--promote", help="Run the gates after training, and serve it if they pass."),
    ] = False,
    epoch: Annotated[int | None, typer.Option(hidden=True)] = None,
    lease_s: Annotated[
        float | None,
        typer.Option(hidden=True, help="Live by what is written to standard input."),
    ] = None,
    attack_success: Annotated[
        float | None,
        typer.Option(min=0, max=1, help="Upper 95 % bound of the judge's attack success."),
    ] = None,
    seed: Annotated[
        int | None, typer.Option(help="Instead of the seed in the algorithm's section.", min=0)
    ] = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="The outcome as one object; progress on stderr.")
    ] = False,
) -> None:
    """Gate, freeze, blend with human rows, evaluate, train, evaluate again.

    A training that was killed goes on from its last checkpoint when the same command is run again
    (with --manifest OUT.dataset, which it froze). Several processes: see docs/training.md.

    Every step is a `runs` event. A refusal prints every number that decided and ends with exit
    code 1 (failed) or 2 (inconclusive); nothing is written then. With --promote the trained policy
    is compared with the one that serves, as by `prefstream promote`, and serves where every gate
    passes.

    [bold]Examples[/bold]

      prefstream train --from-topic --policy checkpoints/sft --out checkpoints/round1
      prefstream train --from-topic --policy checkpoints/sft --out checkpoints/r1 --promote
      prefstream train --from-topic --source thumbs --ungated --policy sft --out thumbs
      prefstream train --from-topic --algorithm reward --policy sft --out reward-model
      prefstream train --manifest checkpoints/round1.dataset --policy sft --out again
    """
    from cli.gate import EXIT_CODES
    from cli.promote import promotion_verdict, show_promotion
    from cli.training_request import TrainingRequest
    from infra.lease import live_by
    from schemas.errors import ConfigError

    if lease_s is not None:
        live_by(sys.stdin.fileno(), lease_s)
    if (manifest is None) is not from_topic:
        raise ConfigError("name what to train on: either --manifest M or --from-topic")
    if manifest is not None and (offsets or source or judge_config):
        raise ConfigError(
            "--range, --source and --judge-config choose among what the topic holds; the rows of a "
            "--manifest are chosen: leave them out, or freeze with them by `prefstream dataset`"
        )
    if promote and ungated:
        raise ConfigError(
            "an --ungated run is a baseline and never promoted; leave one of them out"
        )
    request = TrainingRequest(
        project=project,
        # an alias may move meanwhile
        policy=policy.resolve(),
        out=out,
        algorithm=algorithm,
        manifest=manifest,
        prompts=prompts,
        exclude=tuple(exclude or ()),
        offsets=tuple(offsets or ()),
        sources=tuple(source or ()),
        judge_config=judge_config,
        ungated=ungated,
        attack_success=attack_success,
        seed=seed,
        promote=promote,
        epoch=epoch,
    )
    outcome, promoted = _with_progress(request)
    if outcome is None:
        return
    if as_json:
        typer.echo(_json(outcome, promoted))
    else:
        _show(outcome)
        if promoted:
            show_promotion(promoted)
    raise typer.Exit(EXIT_CODES[promotion_verdict(promoted) if promoted else outcome.verdict])


def _with_progress(request: "TrainingRequest") -> "tuple[RunOutcome | None, Run | None]":
    """Run it with a live line on standard error, which leaves standard output to the result."""
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

    from cli.training import promote_request, run_request
    from trainer.policy import Progress as Step
    from trainer.processes import is_first

    columns = (TextColumn("{task.description}"), BarColumn(), TimeRemainingColumn())
    console = Console(stderr=True)
    with Progress(*columns, console=console, transient=True, disable=not is_first()) as bar:
        task = bar.add_task("gate, freeze, blend", total=None)

        def watch(step: Step) -> None:
            shown = "  ".join(
                f"{name} {step.metrics[key]:.3f}"
                for key, name in _WATCHED.items()
                if key in step.metrics
            )
            bar.update(
                task,
                description=f"step {step.step}/{step.steps}  {shown}",
                completed=step.step,
                total=step.steps,
            )

        def step(what: str) -> None:
            bar.update(task, description=what, completed=0, total=None)

        outcome = run_request(request, watch, step)
        if outcome is None or outcome.trained is None or not request.promote:
            return outcome, None
        return outcome, promote_request(request, outcome, step)


def _json(outcome: "RunOutcome", promoted: "Run | None") -> str:
    import json

    last = promoted or outcome.run
    run = last.model_dump(mode="json", exclude={"offset_ranges", "source_ids"})
    trained = outcome.trained.model_dump(mode="json") if outcome.trained else None
    return json.dumps(
        {
            "verdict": outcome.verdict,
            "run": run,
            "rows": outcome.rows,
            "down_sampled": outcome.down_sampled,
            "uncalibrated": outcome.uncalibrated,
            "trained": trained,
        }
    )


def _show(outcome: "RunOutcome") -> None:
    from cli.gate import show_gates

    run = outcome.run
    show_gates(run.gates)
    typer.echo(f"run {run.run_id}: {run.status}{' (ungated)' if run.ungated else ''}")
    if outcome.trained is None:
        typer.echo(f"refused: {run.detail}")
        return
    trained = outcome.trained
    left_out = ", ".join(f"{n} {source}" for source, n in outcome.down_sampled.items()) or "none"
    typer.echo(f"rows {outcome.rows} (left out by the blend: {left_out})")
    for name, n in outcome.uncalibrated.items():
        typer.echo(f"  {n} rlaif rows left out: the judge is uncalibrated on slice {name}")
    typer.echo(
        f"{trained.steps} steps in {trained.seconds:.1f} s"
        + (f" (went on after step {trained.resumed_from})" if trained.resumed_from else "")
        + f"; {trained.truncated} rows cut at "
        f"{trained.hyper_parameters['max_length']} tokens, {trained.dropped} dropped"
    )
    for name, evaluation in (("before", outcome.before), ("after", outcome.after)):
        if evaluation is not None:
            accuracy = evaluation.accuracy
            typer.echo(
                f"{name}: accuracy {accuracy.value or 0:.3f} [{accuracy.low:.3f}, "
                f"{accuracy.high:.3f}] of {accuracy.n}, median length "
                f"{evaluation.median_length:g} characters"
                + (f"; {evaluation.unanswered} without an answer" if evaluation.unanswered else "")
            )
    typer.echo(f"{trained.kind.replace('_', ' ')} in {trained.path}")
