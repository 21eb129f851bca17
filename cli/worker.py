"""`prefstream worker`: one stage as one process of its consumer group."""

from pathlib import Path
from typing import Annotated

import typer


def worker(
    stage: Annotated[str, typer.Argument(help="sample, verify, pair, judge or filter.")],
    project: Annotated[
        Path, typer.Option(help="Project directory with pipeline.yaml.", file_okay=False)
    ] = Path(),
    concurrency: Annotated[
        int | None,
        typer.Option(
            min=1,
            max=4096,
            help="Events in the stage at a time. Default: 16 for sample, 64 for judge, else 8.",
        ),
    ] = None,
    instance: Annotated[
        str | None,
        typer.Option(
            help="A name that stays over restarts and no other running worker of the stage has: a "
            "killed worker then takes up its partitions at once."
        ),
    ] = None,
    health_port: Annotated[
        int,
        typer.Option(min=0, max=65535, help="Loopback port of /live and /ready; 0 = any free."),
    ] = 0,
    drain_s: Annotated[
        float, typer.Option(min=0, help="Seconds that work under way gets at SIGTERM.")
    ] = 10.0,
) -> None:
    """Run one stage on Kafka until SIGTERM, which lets the work under way finish.

    Start more of them to scale a stage (up to the number of partitions). An event's offset is
    committed only after its outputs are in the log. Exit status 0 after SIGTERM; 70 with one
    sentence where the stage cannot go on.

    [bold]Examples[/bold]

      prefstream worker verify --project examples/harbor/project
      prefstream worker judge --project . --concurrency 128 --instance judge-0 --health-port 8081
    """
    from infra.start_up import start_up

    with start_up():
        from infra.settings import Settings
        from infra.telemetry import set_up_logging
        from schemas.registry import FileRegistry
        from schemas.remote_registry import register_all
        from streams.pipeline import build_stage
        from streams.runner.worker import run_worker
        from streams.runner.worker_options import WorkerOptions, default_concurrency

        settings = Settings()
        set_up_logging(settings)
        if settings.registry_url is not None:
            register_all(FileRegistry(), settings.registry_url)
        built = build_stage(stage, project, settings)
    options = WorkerOptions(
        concurrency=concurrency or default_concurrency(stage),
        instance=instance,
        health_port=health_port,
        drain_s=drain_s,
    )
    status = run_worker(settings, built, options)
    if status:
        raise typer.Exit(status)
