"""What runs where and how far everything has come: the content of `prefstream status`."""

from confluent_kafka.admin import AdminClient, ConsumerGroupDescription  # type: ignore[attr-defined]
from pydantic import BaseModel, ConfigDict

from infra.kafka import ADMIN_TIMEOUT_S, admin, ask, bootstrap, topic_name
from infra.kafka_offsets import Span, committed_offsets, identify, spans
from infra.plan import REVIEW
from infra.process_identity import runs
from infra.redaction import redact
from infra.settings import Settings
from infra.stack_state import StackState, read_state
from infra.topics import topic_specs
from infra.worker_pause import WorkerPause, worker_pause
from schemas.errors import ConfigError, DependencyDown


class _Report(BaseModel):
    model_config = ConfigDict(frozen=True)


class ProcessReport(_Report):
    """A process of the local stack; ``status`` is running, stopped (as it was told), gone, or the
    exit code with which it ended by itself. ``pause``: a worker that runs and takes nothing in."""

    name: str
    pid: int | None
    status: str
    log: str
    pause: WorkerPause | None = None


class TopicReport(_Report):
    """A topic: its partitions and how many messages it holds."""

    topic: str
    partitions: int
    messages: int


class GroupReport(_Report):
    """A consumer group on a topic: pending = end offset − committed offset (design §1)."""

    group: str
    topic: str
    state: str
    members: int
    committed: int
    pending: int


class StackStatus(_Report):
    """Everything. ``kafka``, ``clickhouse`` and ``review`` (the pages) are addresses without
    passwords, "" where none is known; ``problem`` says why topics and groups are missing, "" where
    they are not."""

    data_dir: str
    supervisor_pid: int | None
    kafka: str
    clickhouse: str
    review: str
    problem: str
    processes: tuple[ProcessReport, ...]
    topics: tuple[TopicReport, ...]
    groups: tuple[GroupReport, ...]

    @property
    def healthy(self) -> bool:
        """Whether Kafka answers and no process has ended by itself."""
        return not self.problem and all(p.status in ("running", "stopped") for p in self.processes)


def stack_status(settings: Settings) -> StackStatus:
    """The status now; a Kafka that does not answer is reported, not raised."""
    state = read_state(settings.data_dir)
    topics: tuple[TopicReport, ...] = ()
    groups: tuple[GroupReport, ...] = ()
    address = problem = ""
    try:
        address = bootstrap(settings)
        _check_runs(settings, state)
        topics, groups = _log_reports(settings)
    except (ConfigError, DependencyDown) as error:
        problem = str(error)
    supervisor = state.supervisor
    owner = state.clickhouse
    live = supervisor is not None and runs(supervisor.pid, supervisor.started)
    return StackStatus(
        data_dir=str(settings.data_dir),
        supervisor_pid=supervisor.pid if supervisor and live else None,
        kafka=address,
        clickhouse=redact(settings.clickhouse_url or (owner.url if owner else "")),
        review=_review_pages(state),
        problem=problem,
        processes=tuple(_process_reports(state)),
        topics=topics,
        groups=groups,
    )


def _check_runs(settings: Settings, state: StackState) -> None:
    """Raise at once for a local broker that is known not to run, rather than wait for it."""
    kafka = state.kafka
    local = settings.bootstrap_servers is None
    if local and kafka is not None and not runs(kafka.pid, kafka.started):
        raise ConfigError(f"Kafka of {settings.data_dir} does not run; start it: `prefstream up`")


def _process_reports(state: StackState) -> list[ProcessReport]:
    reports = []
    for name, process in state.processes.items():
        running = runs(process.pid, process.started)
        status = process.status
        if not running and status == "running":
            status = "stopped" if process.pid is None else "gone"
        pid = process.pid if running else None
        asked = running and process.url and name != REVIEW
        pause = worker_pause(process.url) if asked else None
        reports.append(
            ProcessReport(name=name, pid=pid, status=status, log=process.log, pause=pause)
        )
    return reports


def _review_pages(state: StackState) -> str:
    pages = state.processes.get(REVIEW)
    return pages.url if pages and runs(pages.pid, pages.started) else ""


def _log_reports(settings: Settings) -> tuple[tuple[TopicReport, ...], tuple[GroupReport, ...]]:
    client = admin(settings)
    ours = {topic_name(settings, s.name): s.name for s in topic_specs(settings.partitions)}
    held = spans(settings, client, identify(settings, client, ours).values())
    topics = []
    for name, topic in ours.items():
        of = [span for (found, _), span in held.items() if found == name]
        if of:
            messages = sum(span.end - span.first for span in of)
            topics.append(TopicReport(topic=topic, partitions=len(of), messages=messages))
    groups: list[GroupReport] = []
    for group in _groups(settings, client):
        offsets = committed_offsets(settings, client, group.group_id)
        groups += _group_reports(settings, ours, held, offsets, group)
    return tuple(topics), tuple(groups)


def _groups(settings: Settings, client: AdminClient) -> list[ConsumerGroupDescription]:
    """Every group whose name begins with our prefix, in order of names."""

    def describe() -> list[ConsumerGroupDescription]:
        listed = client.list_consumer_groups(request_timeout=ADMIN_TIMEOUT_S).result()
        names = sorted(
            g.group_id for g in listed.valid or () if g.group_id.startswith(settings.topic_prefix)
        )
        if not names:
            return []
        asked = client.describe_consumer_groups(names, request_timeout=ADMIN_TIMEOUT_S)
        return [future.result() for future in asked.values()]

    return ask(settings, describe)


def _group_reports(
    settings: Settings,
    ours: dict[str, str],
    held: dict[tuple[str, int], Span],
    offsets: dict[tuple[str, int], int],
    group: ConsumerGroupDescription,
) -> list[GroupReport]:
    """One for each of our topics that the group reads or ever committed on."""
    reads = {p.topic for m in group.members if m.assignment for p in m.assignment.topic_partitions}
    reports = []
    for name in sorted((reads | {topic for topic, _ in offsets}) & set(ours)):
        parts = [(key, span) for key, span in held.items() if key[0] == name]
        # Where it never committed it begins at the first offset that is there.
        done = sum(offsets.get(key, span.first) for key, span in parts)
        reports.append(
            GroupReport(
                group=group.group_id.removeprefix(settings.topic_prefix),
                topic=ours[name],
                state=group.state.name.lower(),
                members=len(group.members),
                committed=done,
                pending=sum(span.end for _, span in parts) - done,
            )
        )
    return reports
