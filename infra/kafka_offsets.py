"""Where topics begin and end, and how far groups have come: the numbers under all accounting."""

from collections.abc import Iterable
from dataclasses import dataclass

from confluent_kafka import (
    IsolationLevel,
    KafkaError,
    KafkaException,
    TopicCollection,
    TopicPartition,
)
from confluent_kafka.admin import AdminClient, OffsetSpec  # type: ignore[attr-defined]

from infra.kafka import ADMIN_TIMEOUT_S, ask, consumer, topic_name
from infra.settings import Settings
from schemas.errors import ConfigError
from schemas.events import EVENTS

_EARLIEST: OffsetSpec = OffsetSpec.earliest()  # type: ignore[no-untyped-call]
_LATEST: OffsetSpec = OffsetSpec.latest()  # type: ignore[no-untyped-call]


@dataclass(frozen=True, kw_only=True, slots=True)
class Span:
    """The offsets that one partition holds: ``first`` up to but not including ``end``."""

    first: int
    end: int


@dataclass(frozen=True, kw_only=True, slots=True)
class TopicIdentity:
    """A topic that exists. ``uuid`` changes when it is deleted and made again."""

    name: str
    uuid: str
    partitions: tuple[int, ...]


def identify(
    settings: Settings, client: AdminClient, names: Iterable[str]
) -> dict[str, TopicIdentity]:
    """The topics of these names in Kafka that exist. Raises ``DependencyDown``."""
    wanted = list(names)

    def describe() -> dict[str, TopicIdentity]:
        found: dict[str, TopicIdentity] = {}
        asked = client.describe_topics(TopicCollection(wanted), request_timeout=ADMIN_TIMEOUT_S)
        for name, future in asked.items():
            try:
                topic = future.result()
            except KafkaException as error:
                if error.args[0].code() == KafkaError.UNKNOWN_TOPIC_OR_PART:
                    continue
                raise
            partitions = tuple(sorted(partition.id for partition in topic.partitions))
            found[name] = TopicIdentity(name=name, uuid=str(topic.topic_id), partitions=partitions)
        return found

    return ask(settings, describe) if wanted else {}


def identity(settings: Settings, client: AdminClient, name: str) -> TopicIdentity:
    """The topic of this name in Kafka; raises ``ConfigError`` where there is none."""
    found = identify(settings, client, [name])
    if name not in found:
        raise ConfigError(
            f"topic {name} does not exist; `prefstream up` creates the topics, and "
            "PREFSTREAM_TOPIC_PREFIX must be the one they were created with"
        )
    return found[name]


def spans(
    settings: Settings, client: AdminClient, topics: Iterable[TopicIdentity]
) -> dict[tuple[str, int], Span]:
    """What each partition of these topics holds, as a read_committed reader sees it.

    Raises ``DependencyDown``.
    """
    parts = [(topic.name, partition) for topic in topics for partition in topic.partitions]
    if not parts:
        return {}
    firsts = _offsets(settings, client, parts, _EARLIEST)
    ends = _offsets(settings, client, parts, _LATEST)
    return {part: Span(first=firsts[part], end=ends[part]) for part in parts}


def committed_offsets(
    settings: Settings, client: AdminClient, group: str
) -> dict[tuple[str, int], int]:
    """The next offset that a group (its name in Kafka) will read, by topic and partition; left
    out where it never committed. Only our topics are asked for. Raises ``DependencyDown``."""
    names = {topic_name(settings, topic) for topic in EVENTS}

    # Not AdminClient.list_consumer_group_offsets: while a coordinator loads or moves, librdkafka
    # follows a null pointer there and takes the process down (librdkafka issue 5040). A consumer
    # that never subscribes asks the same and is no member of the group.
    def list_offsets() -> dict[tuple[str, int], int]:
        topics = client.list_topics(timeout=ADMIN_TIMEOUT_S).topics
        parts = [
            TopicPartition(name, partition)
            for name in sorted(names & topics.keys())
            for partition in topics[name].partitions
        ]
        reader = consumer(settings, group)
        try:
            found = reader.committed(parts, timeout=ADMIN_TIMEOUT_S) if parts else []
        finally:
            reader.close()
        for part in found:
            if part.error is not None:
                raise KafkaException(part.error)
        return {(p.topic, p.partition): p.offset for p in found if p.offset >= 0}

    return ask(settings, list_offsets)


def _offsets(
    settings: Settings, client: AdminClient, parts: list[tuple[str, int]], which: OffsetSpec
) -> dict[tuple[str, int], int]:
    def list_offsets() -> dict[tuple[str, int], int]:
        asked = client.list_offsets(
            {TopicPartition(topic, partition): which for topic, partition in parts},
            isolation_level=IsolationLevel.READ_COMMITTED,
            request_timeout=ADMIN_TIMEOUT_S,
        )
        return {(p.topic, p.partition): future.result().offset for p, future in asked.items()}

    return ask(settings, list_offsets)
