"""The stream itself: candidate sets in, every stage a process of its own, every topic read back."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from bench.spider_progress import Progress, wait_for
from consumers.accounting import (
    STAGE_OUTPUTS,
    Accounts,
    Discarded,
    StageFlow,
    close_accounts,
    place,
)
from consumers.clickhouse.lag import SINK_GROUP
from infra.kafka import producer, topic_name
from infra.plan import sink_process, worker_process
from infra.process import ProcessFailed, ProcessSpec
from infra.settings import Settings
from infra.stack import Stack
from infra.topic_log import LoggedEvent, committed, read, snapshot
from schemas.codec import Codec
from schemas.errors import Fatal
from schemas.events import EVENTS, TOPICS, CandidateSet, DeadLetter, Discard, partition_key
from streams.topology import consumer_group, input_topic

STAGES = ("verify", "pair", "judge", "filter")
_SINK = "sink"
_FLUSH_S = 30.0


@dataclass(kw_only=True)
class StreamLog:
    """What the topics hold after a stream, and how far each stage had committed."""

    messages: dict[str, list[LoggedEvent]] = field(default_factory=dict)
    committed: dict[str, dict[int, int]] = field(default_factory=dict)

    def first(self, topic: str) -> dict[str, LoggedEvent]:
        """By event id, the message with the lowest offset: the one that counts."""
        found: dict[str, LoggedEvent] = {}
        for message in self.messages[topic]:
            if message.event is not None:
                found.setdefault(message.event.event_id, message)
        return found

    def accounts(self) -> Accounts:
        """The accounts of the stages, by ids."""
        return close_accounts(self._flow(stage) for stage in STAGES)

    def _flow(self, stage: str) -> StageFlow:
        topic, done = input_topic(stage), self.committed[stage]
        below = [m for m in self.messages[topic] if m.offset < done.get(m.partition, 0)]
        letters = [
            m.event
            for m in self.messages["dead-letters"]
            if isinstance(m.event, DeadLetter) and m.event.stage == stage
        ]
        return StageFlow(
            stage=stage,
            taken={_id(message) for message in below},
            outputs={
                event_id: _sources(message)
                for event_id, message in self.first(TOPICS[STAGE_OUTPUTS[stage]]).items()
            },
            discards={
                event_id: Discarded(reason=m.event.reason, source_ids=m.event.source_ids)
                for event_id, m in self.first("discards").items()
                if isinstance(m.event, Discard) and m.event.stage == stage
            },
            dead_lettered=[source for letter in letters for source in letter.source_ids]
            + [place(letter.topic, letter.partition, letter.offset) for letter in letters],
            pending=len(self.messages[topic]) - len(below),
        )


class SpiderStream:
    """Workers of the four stages on a broker, and a sink where one is wanted.

    ``settings`` are those of the topics (the stack's own, or with a prefix). Leaving the block
    stops what it started.
    """

    def __init__(
        self, stack: Stack, settings: Settings, project: Path, *, with_sink: bool = False
    ) -> None:
        self._stack = stack
        self._settings = settings
        self._project = project
        self._progress = Progress(settings)
        self._groups = {stage: consumer_group(stage) for stage in STAGES}
        if with_sink:
            self._groups[_SINK] = SINK_GROUP

    def __enter__(self) -> "SpiderStream":
        for name in self._groups:
            self._stack.start(self._spec(name))
        return self

    def __exit__(self, *_: object) -> None:
        for name in self._groups:
            self._stack.stop(_process_name(name))

    @property
    def names(self) -> tuple[str, ...]:
        """What runs: the stages, and the sink where there is one."""
        return tuple(self._groups)

    def feed(self, sets: Sequence[CandidateSet]) -> None:
        """Deliver candidate sets to the samples topic."""
        codec, to = Codec(), producer(self._settings)
        topic = topic_name(self._settings, TOPICS[CandidateSet])
        for event in sets:
            to.produce(topic, key=partition_key(event).encode(), value=codec.encode(event))
            to.poll(0)
        if left := to.flush(_FLUSH_S):
            raise Fatal(f"{left} candidate sets were not delivered within {_FLUSH_S:g} s")

    def committed(self, name: str) -> int:
        """Offsets that a stage or the sink has committed."""
        return self._progress.committed(self._groups[name])

    def wait_beyond(self, name: str, offsets: int) -> None:
        """Return when a stage or the sink has committed more than so many offsets."""
        self._wait(lambda: self.committed(name) > offsets)

    def kill(self, name: str) -> None:
        """SIGKILL a stage's worker or the sink, and start it again."""
        self._stack.kill(_process_name(name))
        self._stack.restart(_process_name(name))

    def wait_done(self, on_stage: Callable[[str], None] = lambda _: None) -> None:
        """Return when everything fed has come to its end, stage after stage."""
        for stage in STAGES:
            on_stage(stage)
            self._wait(lambda s=stage: self._pending(s, (input_topic(s),)) == 0)  # type: ignore[misc]
        if _SINK in self._groups:
            on_stage(_SINK)
            self._wait(lambda: self._pending(_SINK, tuple(EVENTS)) == 0)

    def log(self) -> StreamLog:
        """All topics as they are now."""
        log = StreamLog()
        for stage in STAGES:
            log.committed[stage] = committed(
                self._settings, consumer_group(stage), input_topic(stage)
            )
        for topic in TOPICS.values():
            log.messages[topic] = list(read(self._settings, snapshot(self._settings, topic)))
        return log

    def _pending(self, name: str, topics: tuple[str, ...]) -> int:
        return self._progress.pending(self._groups[name], topics)

    def _wait(self, condition: Callable[[], bool]) -> None:
        wait_for(condition, lambda: [self.committed(name) for name in self._groups], self._check)

    def _check(self) -> None:
        for name in self._groups:
            process = self._stack.processes[_process_name(name)]
            if process.exit_code is not None:
                raise ProcessFailed(
                    f"{process.spec.name} ended with exit code {process.exit_code}: "
                    f"{process.log_tail()}"
                )

    def _spec(self, name: str) -> ProcessSpec:
        planned = (
            sink_process(self._settings) if name == _SINK else worker_process(name, self._project)
        )
        # the stack's own settings may lack the topics' prefix
        return planned.spec.model_copy(update={"environment": self._settings.environment()})


def kill_rounds(
    stream: SpiderStream, sets: Sequence[CandidateSet], rounds: int
) -> Iterator[tuple[int, str]]:
    """Feed the sets in ``rounds`` + 1 portions, and in every round kill each process once, right
    after it has committed something of that round's portion. Gives (round, process) as it goes.
    """
    size = -(-len(sets) // (rounds + 1))
    portions = [sets[start : start + size] for start in range(0, len(sets), size)]
    for number, portion in enumerate(portions):
        marks = {name: stream.committed(name) for name in stream.names}
        stream.feed(portion)
        if number < rounds:
            for name in stream.names:
                stream.wait_beyond(name, marks[name])
                stream.kill(name)
                yield number, name


def _process_name(name: str) -> str:
    return name if name == _SINK else f"worker-{name}"


def _id(message: LoggedEvent) -> str:
    if message.event is None:
        return place(message.topic, message.partition, message.offset)
    return message.event.event_id


def _sources(message: LoggedEvent) -> tuple[str, ...]:
    return () if message.event is None else message.event.source_ids
