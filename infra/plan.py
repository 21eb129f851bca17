"""What a local stack runs beside Kafka, and when each of it is up."""

import sys
from pathlib import Path

import httpx
from pydantic import BaseModel, ConfigDict

from infra.ports import LOOPBACK, free_port
from infra.process import ProcessSpec
from infra.process_identity import runs
from infra.settings import Settings
from infra.stack_state import read_state

_PROBE_TIMEOUT_S = 1.0
_CLI = (sys.executable, "-m", "cli.main")
# A worker drains for 10 s before it commits and leaves (WorkerOptions.drain_s).
_WORKER_STOP_TIMEOUT_S = 30.0
REVIEW = "review"
# The same over restarts of the stack where it is free, so that people's bookmarks stay good.
_REVIEW_PORT = 8100


class Planned(BaseModel):
    """A process of the plan. It is up when ``ready_url`` answers 200 and, for the process that
    owns the embedded ClickHouse, when the state file has its address; else when it runs."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    spec: ProcessSpec
    ready_url: str | None = None
    owns_clickhouse: bool = False


class StackPlan(BaseModel):
    """What a stack consists of, beside Kafka."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    processes: tuple[Planned, ...] = ()


def worker_process(stage: str, project: Path) -> Planned:
    """A worker of a stage as the project configures it."""
    port = free_port()
    argv = [*_CLI, "worker", stage, "--project", str(project.absolute())]
    argv += ["--instance", f"{stage}-0", "--health-port", str(port)]
    url = f"http://{LOOPBACK}:{port}"
    spec = ProcessSpec(
        name=f"worker-{stage}", argv=tuple(argv), stop_timeout_s=_WORKER_STOP_TIMEOUT_S, url=url
    )
    return Planned(spec=spec, ready_url=f"{url}/ready")


def sink_process(settings: Settings) -> Planned:
    """The ClickHouse sink; without a configured server it owns the embedded engine."""
    spec = ProcessSpec(name="sink", argv=(*_CLI, "sink"))
    return Planned(spec=spec, owns_clickhouse=settings.clickhouse_url is None)


def review_process(project: Path) -> Planned:
    """The review pages of a project."""
    url = f"http://{LOOPBACK}:{(port := free_port(_REVIEW_PORT))}"
    argv = (*_CLI, "review", "--project", str(project.absolute()), "--port", str(port))
    return Planned(spec=ProcessSpec(name=REVIEW, argv=argv, url=url), ready_url=f"{url}/sign-in")


def is_ready(settings: Settings, planned: Planned) -> bool:
    """Whether the process is up."""
    if planned.owns_clickhouse:
        owner = read_state(settings.data_dir).clickhouse
        if owner is None or not runs(owner.pid, owner.started):
            return False
    return planned.ready_url is None or _answers(planned.ready_url)


def _answers(url: str) -> bool:
    # On loopback no proxy has a part in it, and reading the certificates first would take 35 ms of
    # each of many looks.
    try:
        found = httpx.get(url, timeout=_PROBE_TIMEOUT_S, trust_env=False, verify=False)
    except httpx.HTTPError:
        return False
    return found.status_code == httpx.codes.OK
