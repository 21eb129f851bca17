"""`prefstream up`, `status` and `down`: the local stack."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from infra.plan import StackPlan
    from infra.settings import Settings

_DataDir = Annotated[
    Path | None, typer.Option(help="Folder of the stack (default: PREFSTREAM_DATA_DIR).")
]
_Json = Annotated[bool, typer.Option("--json", help="One JSON object on standard output.")]
_PIPELINE = "pipeline.yaml"


def up(
    project: Annotated[
        Path, typer.Option(help=f"Project directory; with a {_PIPELINE} its stages are started.")
    ] = Path(),
    stage: Annotated[
        list[str] | None, typer.Option(help="Start only this stage (repeat for several).")
    ] = None,
    kafka_only: Annotated[
        bool, typer.Option("--kafka-only", help="No ClickHouse, no stages, no pages.")
    ] = False,
    review: Annotated[
        bool, typer.Option(help="Serve the project's review pages; never with --stage.")
    ] = True,
    bootstrap_servers: Annotated[
        str | None, typer.Option(help="Use this Kafka (host:port) instead of a local one.")
    ] = None,
    clickhouse_url: Annotated[
        str | None, typer.Option(help="Use this ClickHouse (http://...) instead of a local one.")
    ] = None,
    data_dir: _DataDir = None,
    foreground: Annotated[
        bool, typer.Option("--foreground", help="Stay until Ctrl-C instead of returning.")
    ] = False,
    as_json: _Json = False,
) -> None:
    """Start the local stack and return when it is ready: Kafka, ClickHouse, and of a project one
    worker a stage and the review pages.

    Examples:

        prefstream up --project examples/harbor/project

        prefstream up --kafka-only --data-dir scratch

        prefstream up --bootstrap-servers kafka:9092 --clickhouse-url http://clickhouse:8123
    """
    from infra.background import start_in_background
    from infra.kafka_jars import MissingJava, java_problem
    from infra.supervisor import supervise
    from infra.telemetry import set_up_logging

    settings = _settings(
        bootstrap_servers=bootstrap_servers, clickhouse_url=clickhouse_url, data_dir=data_dir
    )
    plan = _plan(settings, project, stage, kafka_only=kafka_only, review=review)
    if settings.bootstrap_servers is None and (problem := java_problem(settings)):
        raise MissingJava(problem)
    if foreground:
        set_up_logging(settings)
        supervise(settings, plan)
        return
    if not start_in_background(settings, plan):
        typer.echo(
            f"a stack already ran in {settings.data_dir}; it was left as it was "
            "(`prefstream down` first to change it)",
            err=True,
        )
    _show(settings, as_json=as_json)


def status(data_dir: _DataDir = None, as_json: _Json = False) -> None:
    """Show what runs where, the topics, and how far each group is behind.

    Exit code 1 if Kafka does not answer or a process has ended.

    Examples:

        prefstream status

        prefstream status --json | jq '.groups[] | {group, pending}'
    """
    if not _show(_settings(data_dir=data_dir), as_json=as_json):
        raise typer.Exit(1)


def down(data_dir: _DataDir = None, as_json: _Json = False) -> None:
    """Stop the local stack; no process of it is left. Its data stays.

    Examples:

        prefstream down

        prefstream down --data-dir scratch
    """
    import json

    from infra.stack_end import end_stack

    settings = _settings(data_dir=data_dir)
    ended = end_stack(settings.data_dir)
    if as_json:
        typer.echo(json.dumps({"data_dir": str(settings.data_dir), "stopped": ended}))
    else:
        typer.echo(f"{'stopped' if ended else 'nothing ran in'} {settings.data_dir}")


def _settings(
    *,
    data_dir: Path | None,
    bootstrap_servers: str | None = None,
    clickhouse_url: str | None = None,
) -> "Settings":
    """The environment's settings under the options that were given."""
    from infra.settings import Settings

    options = {
        "data_dir": data_dir,
        "bootstrap_servers": bootstrap_servers,
        "clickhouse_url": clickhouse_url,
    }
    return Settings.model_validate({k: v for k, v in options.items() if v is not None})


def _plan(
    settings: "Settings",
    project: Path,
    stages: list[str] | None,
    *,
    kafka_only: bool,
    review: bool,
) -> "StackPlan":
    from infra.plan import StackPlan, review_process, sink_process, worker_process

    if kafka_only:
        return StackPlan()
    planned = [sink_process(settings)]
    if stages or (project / _PIPELINE).exists():
        planned += [worker_process(stage, project) for stage in stages or _configured(project)]
        if review and not stages:
            planned.append(review_process(project))
    else:
        typer.echo(
            f"no {_PIPELINE} in {project.absolute()}: no stages are started; "
            "name a project by --project",
            err=True,
        )
    return StackPlan(processes=tuple(planned))


def _configured(project: Path) -> list[str]:
    """The stages that the project can run: sampling needs models to sample from."""
    from streams.pipeline import load_pipeline
    from streams.topology import STAGE_INPUTS

    pipeline = load_pipeline(project)
    return [stage for stage in STAGE_INPUTS if stage != "sample" or pipeline.sample.models]


def _show(settings: "Settings", *, as_json: bool) -> bool:
    from infra.stack_status import stack_status

    found = stack_status(settings)
    if as_json:
        typer.echo(found.model_dump_json())
    else:
        from cli.stack_tables import print_status

        print_status(found)
    if found.review and not _anybody_may_sign_in(settings):
        typer.echo(
            "nobody can sign in to the review pages yet; let somebody in by "
            "`prefstream review user add NAME --role lead`",
            err=True,
        )
    return found.healthy


def _anybody_may_sign_in(settings: "Settings") -> bool:
    from consumers.review.people import anybody
    from consumers.review.tables import open_database

    with open_database(settings).connect() as connection:
        return anybody(connection)
