"""`prefstream trainer`: trains by itself when there is reason to, one of a workload at a time."""

from pathlib import Path
from typing import Annotated

import typer


def trainer(
    policy: Annotated[
        Path | None,
        typer.Option(help="Checkpoint folder that every training starts from."),
    ] = None,
    project: Annotated[
        Path, typer.Option(help="Project directory with pipeline.yaml.", file_okay=False)
    ] = Path(),
    algorithm: Annotated[str, typer.Option(help="As of `prefstream train`.")] = "dpo",
    every_s: Annotated[float, typer.Option(min=0.1, help="Seconds between two looks.")] = 60.0,
    request: Annotated[
        str | None,
        typer.Option(help="Ask the trainer that leads to train now, saying why; then end."),
    ] = None,
) -> None:
    """Watch the topics, and gate, train, compare and promote when a reason to train holds.

    Reasons and limits are in the `trigger` section of pipeline.yaml: new accepted pairs, age,
    a new rubric, drift of verifier failures, judge-verifier conflicts or complaints. Each decision
    is a `runs` event with its numbers, also the one not to train. Start as many as you like, on any
    machine: of a workload one leads, the others take over when it ends. Runs until SIGTERM.

    [bold]Examples[/bold]

      prefstream trainer --policy checkpoints/sft --project examples/harbor/project
      prefstream trainer --request "new join rules are labelled"
    """
    import signal
    from datetime import UTC, datetime

    from cli.project import load_project
    from cli.promotion import Promotion, held_out_prompts, registry_of
    from cli.trainer_loop import TrainerLoop, TrainerOptions
    from consumers.trigger.history import decided
    from infra.settings import Settings
    from infra.telemetry import set_up_logging
    from schemas.errors import ConfigError
    from schemas.records import RunStatus
    from trainer.algorithms import algorithm as known
    from trainer.checkpoint import check_start
    from trainer.promotion.tell import tell

    settings, loaded = Settings(), load_project(project)
    if request is not None:
        now = datetime.now(UTC)
        tell(settings, decided(loaded.workload, RunStatus.REQUESTED, now, detail=request))
        typer.echo("asked the trainer that leads to train")
        return
    if policy is None:
        raise ConfigError("name the checkpoint folder to start from by --policy")
    if known(algorithm).makes != "policy":
        raise ConfigError(f"{algorithm} makes no policy that could be promoted")
    if policy.is_symlink() and policy.resolve() == registry_of(settings).alias.resolve():
        raise ConfigError(
            f"{policy} moves with each promotion, so pairs would count again in one policy; name a "
            "folder by --policy that stays and that they are not in yet, as the SFT policy's"
        )
    check_start(policy)
    held_out_prompts(loaded, Promotion(project_dir=project))
    set_up_logging(settings)
    options = TrainerOptions(
        project_dir=project.absolute(),
        policy=policy.absolute(),
        algorithm=algorithm,
        every_s=every_s,
    )
    loop = TrainerLoop(settings, loaded, options)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: loop.stop())
    loop.run()
