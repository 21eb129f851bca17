"""Topics as logs: fix what they hold now, and read exactly that again later."""

import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Protocol, TypeVar

from confluent_kafka import Consumer, KafkaError, KafkaException, Message, TopicPartition

from infra.kafka import admin, consumer, group_name, topic_name, unreachable
from infra.kafka_offsets import committed_offsets, identify, identity, spans
from infra.settings import Settings
from schemas.codec import Codec
from schemas.errors import DependencyDown, PrefstreamError, SchemaMismatch
from schemas.events import TOPICS, Event
from schemas.records import OffsetRange

E = TypeVar("E", bound=Event)

# Messages taken from the client at once: fewer calls, and few enough to stay small in memory.
_BATCH = 500
_POLL_S = 0.5
# A broker that gives nothing for this long, short of the end we know of, is away.
_SILENCE_S = 30.0


class LogChanged(PrefstreamError):
    """The offsets no longer mean the events they meant: the topic was made again, or retention
    has deleted some of them."""


@dataclass(frozen=True, kw_only=True, slots=True)
class LoggedEvent:
    """One message. ``topic`` is without prefix. ``event`` is None where the bytes are no event;
    ``error`` then says why. ``value`` is None for a tombstone, which is no event either."""

    topic: str
    partition: int
    offset: int
    key: bytes | None
    value: bytes | None
    event: Event | None
    error: SchemaMismatch | None


def snapshot(settings: Settings, topic: str) -> tuple[OffsetRange, ...]:
    """What a topic (named without prefix) holds at this moment, a range for each partition that
    is not empty, in partition order.

    Raises ``ConfigError`` if the topic does not exist, ``DependencyDown`` if Kafka is away.
    """
    client = admin(settings)
    found = identity(settings, client, topic_name(settings, topic))
    held = spans(settings, client, [found])
    return tuple(
        OffsetRange(
            topic=topic,
            topic_uuid=found.uuid,
            partition=partition,
            first=span.first,
            last=span.end - 1,
        )
        for (_, partition), span in sorted(held.items())
        if span.end > span.first
    )


def read(settings: Settings, ranges: Sequence[OffsetRange]) -> Iterator[LoggedEvent]:
    """Every committed message of these ranges: the ranges in the order given, each in the order
    of offsets, so that reading the same ranges again gives the same sequence.

    Raises ``LogChanged`` before the first message if a topic is not the one it was or if messages
    of a range are gone; ``DependencyDown`` if Kafka stays silent for 30 s.
    """
    for wanted, message in _messages(settings, ranges):
        yield _logged(wanted, message)


def read_values(settings: Settings, ranges: Sequence[OffsetRange]) -> Iterator[bytes | None]:
    """The values alone, not decoded; otherwise as ``read``."""
    for _, message in _messages(settings, ranges):
        yield message.value()


def _messages(
    settings: Settings, ranges: Sequence[OffsetRange]
) -> Iterator[tuple[OffsetRange, Message]]:
    _check_unchanged(settings, ranges)
    reader = consumer(
        settings,
        group_name(settings, "prefstream.reader"),
        enable_partition_eof=True,
        auto_offset_reset="error",
        # A fetch that waits at the end of one partition keeps the next partition's waiting.
        fetch_wait_max_ms=10,
    )
    try:
        for wanted in ranges:
            for message in _read_range(settings, reader, wanted):
                yield wanted, message
    finally:
        reader.close()


def events(settings: Settings, kind: type[E]) -> Iterator[E]:
    """Every event of the kind's topic up to now; what is unreadable there is the sink's to show."""
    for logged in read(settings, snapshot(settings, TOPICS[kind])):
        if isinstance(logged.event, kind):
            yield logged.event


class EventLog(Protocol):
    """Where events are read, whether the topics are in Kafka or in memory."""

    def events(self, kind: type[E]) -> Iterable[E]:
        """Every event of the kind so far."""


class TopicLog:
    """The topics in Kafka, or what one workload has in them; reading raises ``DependencyDown``
    where Kafka is away."""

    def __init__(self, settings: Settings, workload_id: str | None = None) -> None:
        self._settings, self._workload_id = settings, workload_id

    def events(self, kind: type[E]) -> Iterator[E]:
        """See ``events``."""
        found, wanted = events(self._settings, kind), self._workload_id
        return found if wanted is None else (one for one in found if one.workload_id == wanted)


class WorkloadLog:
    """What one workload has in a log."""

    def __init__(self, log: EventLog, workload_id: str) -> None:
        self._log, self._workload_id = log, workload_id

    def events(self, kind: type[E]) -> list[E]:
        """Every event of the kind so far; raises as the log does."""
        return [one for one in self._log.events(kind) if one.workload_id == self._workload_id]


def committed(settings: Settings, group: str, topic: str) -> dict[int, int]:
    """The next offset that a group will read, by partition; partitions it never committed on are
    left out. Both names are without prefix. Raises ``DependencyDown``."""
    name = topic_name(settings, topic)
    offsets = committed_offsets(settings, admin(settings), group_name(settings, group))
    return {partition: offset for (of, partition), offset in offsets.items() if of == name}


def _check_unchanged(settings: Settings, ranges: Sequence[OffsetRange]) -> None:
    client = admin(settings)
    names = {topic_name(settings, wanted.topic) for wanted in ranges}
    topics = identify(settings, client, names) if names else {}
    held = spans(settings, client, topics.values())
    for wanted in ranges:
        name = topic_name(settings, wanted.topic)
        if name not in topics or topics[name].uuid != wanted.topic_uuid:
            raise LogChanged(
                f"topic {name} is not the one these offsets were taken from (its uuid was "
                f"{wanted.topic_uuid}); point PREFSTREAM_BOOTSTRAP_SERVERS and "
                "PREFSTREAM_TOPIC_PREFIX at the cluster that has it"
            )
        span = held.get((name, wanted.partition))
        if span is None or wanted.first < span.first or wanted.last >= span.end:
            raise LogChanged(
                f"offsets {wanted.first}–{wanted.last} of {name}, partition {wanted.partition}, "
                f"are not all there any more (it holds {span.first}–{span.end - 1}): its retention "
                "deleted some; keep the topic longer, and use the rows that were frozen"
                if span
                else f"topic {name} has no partition {wanted.partition}"
            )


def _read_range(settings: Settings, reader: Consumer, wanted: OffsetRange) -> Iterator[Message]:
    name = topic_name(settings, wanted.topic)
    reader.assign([TopicPartition(name, wanted.partition, wanted.first)])
    heard_s = time.monotonic()
    at = wanted.first
    while True:
        # Never more than are left: the client waits its full time for a batch that stays short.
        messages = reader.consume(min(_BATCH, wanted.last - at + 1), _POLL_S)
        for message in messages:
            heard_s = time.monotonic()
            offset = message.offset()
            assert offset is not None
            if (error := message.error()) is not None:
                # The end of the partition: the offsets up to it that gave no message were
                # transaction markers or aborted.
                if error.code() == KafkaError._PARTITION_EOF and offset > wanted.last:
                    return
                if error.code() != KafkaError._PARTITION_EOF and not error.retriable():
                    raise unreachable(settings, KafkaException(error))
            elif offset > wanted.last:
                return
            else:
                yield message
                at = offset + 1
                if at > wanted.last:
                    return
        if time.monotonic() - heard_s > _SILENCE_S:
            raise DependencyDown(
                f"Kafka gave nothing of {name}, partition {wanted.partition}, for "
                f"{_SILENCE_S:g} s; see `prefstream status`",
                reason="unreachable",
            )


def _logged(wanted: OffsetRange, message: Message) -> LoggedEvent:
    value, offset = message.value(), message.offset()
    assert offset is not None
    event: Event | None = None
    error: SchemaMismatch | None = None
    try:
        event = _codec().decode(value or b"")
    except SchemaMismatch as mismatch:
        error = mismatch
    return LoggedEvent(
        topic=wanted.topic,
        partition=wanted.partition,
        offset=offset,
        key=message.key(),
        value=value,
        event=event,
        error=error,
    )


@cache
def _codec() -> Codec:
    """One for the process: it reads every schema file when it is first used."""
    return Codec()
