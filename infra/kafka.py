"""Kafka clients, set up one way for everyone (facts.md, confluent-kafka)."""

import logging
import time
from collections.abc import Callable
from functools import partial
from typing import TypeVar

from confluent_kafka import Consumer, KafkaError, KafkaException, Producer
from confluent_kafka.admin import AdminClient, TopicMetadata  # type: ignore[attr-defined]
from confluent_kafka.cimpl import NewTopic

from infra.settings import Settings
from infra.stack_state import read_state
from infra.topics import MAX_MESSAGE_BYTES, TopicSpec, topic_specs
from schemas.errors import ConfigError, DependencyDown

_log = logging.getLogger("prefstream.librdkafka")

# Long enough for a broker that is just starting, short enough that a person still waits.
ADMIN_TIMEOUT_S = 15.0
_SETTLING_WAIT_S = 0.2
_SETTLING = frozenset(
    {
        KafkaError.COORDINATOR_LOAD_IN_PROGRESS,
        KafkaError.COORDINATOR_NOT_AVAILABLE,
        KafkaError.FENCED_LEADER_EPOCH,
        KafkaError.LEADER_NOT_AVAILABLE,
        KafkaError.NOT_COORDINATOR,
        KafkaError.NOT_LEADER_FOR_PARTITION,
        KafkaError.OFFSET_NOT_AVAILABLE,
        KafkaError.UNKNOWN_LEADER_EPOCH,
    }
)

Answer = TypeVar("Answer")


def bootstrap(settings: Settings) -> str:
    """Kafka's address: the configured one, else that of the local stack.

    Raises ``ConfigError`` where there is neither.
    """
    if settings.bootstrap_servers:
        return settings.bootstrap_servers
    kafka = read_state(settings.data_dir).kafka
    if kafka is None:
        raise ConfigError(
            f"no Kafka to talk to: no stack was started in {settings.data_dir}; "
            "run `prefstream up` or set PREFSTREAM_BOOTSTRAP_SERVERS"
        )
    return kafka.bootstrap


def topic_name(settings: Settings, topic: str) -> str:
    """The name in Kafka of one of our topics."""
    return f"{settings.topic_prefix}{topic}"


def group_name(settings: Settings, group: str) -> str:
    """The name in Kafka of one of our consumer groups."""
    return f"{settings.topic_prefix}{group}"


def producer(settings: Settings, **overrides: str | int | float | bool) -> Producer:
    """A producer that loses nothing: idempotent, acked by all replicas, and partitioning by key
    as every other producer of the chain does. Overrides are librdkafka names with ``_`` for ``.``.
    """
    return Producer(
        _common(settings)
        | {
            "enable.idempotence": True,
            "acks": "all",
            "linger.ms": 20,
            "compression.type": "zstd",
            "partitioner": "murmur2_random",
            "message.max.bytes": MAX_MESSAGE_BYTES,
            # In bytes, not messages: eight of the largest events (design §4).
            "queue.buffering.max.kbytes": 8 * MAX_MESSAGE_BYTES // 1024,
        }
        | _dotted(overrides),
        logger=_log,
    )


def consumer(settings: Settings, group_id: str, **overrides: str | int | float | bool) -> Consumer:
    """A consumer that commits only what it is told to and sees only committed messages.

    ``group_id`` is the name in Kafka (``group_name``). Overrides as for ``producer``.
    """
    return Consumer(
        _common(settings)
        | {
            "group.id": group_id,
            "enable.auto.commit": False,
            "enable.auto.offset.store": False,
            "auto.offset.reset": "earliest",
            "isolation.level": "read_committed",
            "partition.assignment.strategy": "cooperative-sticky",
            "fetch.message.max.bytes": MAX_MESSAGE_BYTES,
            # Bytes held ahead of the reader, all partitions together.
            "queued.max.messages.kbytes": 4 * MAX_MESSAGE_BYTES // 1024,
        }
        | _dotted(overrides),
        logger=_log,
    )


def admin(settings: Settings) -> AdminClient:
    """A client for topics, groups and offsets."""
    return AdminClient(_common(settings), logger=_log)


def ensure_topics(settings: Settings) -> tuple[TopicSpec, ...]:
    """Create the topics that are missing; returns all specs. Safe to run from many processes.

    Topics that exist keep their retention, which an operator may have changed. Raises
    ``ConfigError`` if one has another number of partitions than the settings say (a key would
    fall in different partitions of different topics), ``DependencyDown`` if Kafka is away.
    """
    specs = topic_specs(settings.partitions)
    client = admin(settings)
    new = [
        NewTopic(
            topic_name(settings, spec.name),
            num_partitions=spec.partitions,
            replication_factor=settings.replication_factor or -1,
            config=spec.config(),
        )
        for spec in specs
    ]
    for future in client.create_topics(new, request_timeout=ADMIN_TIMEOUT_S).values():
        try:
            future.result()
        except KafkaException as error:
            if error.args[0].code() != KafkaError.TOPIC_ALREADY_EXISTS:
                raise unreachable(settings, error) from None
    _check_partitions(settings, client, specs)
    return specs


def ask(settings: Settings, request: Callable[[], Answer]) -> Answer:
    """The answer to a request, asked again while Kafka says that it is only settling (just after
    a start or while leadership moves), for up to 15 s.

    Raises ``DependencyDown`` for any other failure.
    """
    deadline_s = time.monotonic() + ADMIN_TIMEOUT_S
    while True:
        try:
            return request()
        except KafkaException as error:
            if error.args[0].code() not in _SETTLING or time.monotonic() > deadline_s:
                raise unreachable(settings, error) from None
        time.sleep(_SETTLING_WAIT_S)


def unreachable(settings: Settings, error: KafkaException) -> DependencyDown:
    """The error to raise for a Kafka request that failed, with where and what to do."""
    return DependencyDown(
        f"Kafka at {bootstrap(settings)} did not do as asked ({error.args[0].str()}); "
        "see `prefstream status`",
        reason="unreachable",
    )


def _check_partitions(
    settings: Settings, client: AdminClient, specs: tuple[TopicSpec, ...]
) -> None:
    topics = _visible(settings, client, {topic_name(settings, spec.name) for spec in specs})
    for spec in specs:
        name = topic_name(settings, spec.name)
        found = len(topics[name].partitions)
        if found != spec.partitions:
            raise ConfigError(
                f"topic {name} has {found} partitions and PREFSTREAM_PARTITIONS asks for "
                f"{spec.partitions}; set PREFSTREAM_PARTITIONS={found}, or use another "
                "PREFSTREAM_TOPIC_PREFIX (partitions cannot change without moving keys)"
            )


def _visible(settings: Settings, client: AdminClient, names: set[str]) -> dict[str, TopicMetadata]:
    """The metadata of these topics, once all of them are there and have leaders: a topic made a
    moment ago is not at once known to every broker."""
    deadline_s = time.monotonic() + ADMIN_TIMEOUT_S
    while True:
        topics = ask(settings, partial(client.list_topics, timeout=ADMIN_TIMEOUT_S)).topics
        missing = {n for n in names if n not in topics or not _led(topics[n])}
        if not missing:
            return topics
        if time.monotonic() > deadline_s:
            raise DependencyDown(
                f"Kafka at {bootstrap(settings)} did not bring up topics {', '.join(missing)}; "
                "see `prefstream status`",
                reason="unreachable",
            )
        time.sleep(_SETTLING_WAIT_S)


def _led(topic: TopicMetadata) -> bool:
    return bool(topic.partitions) and all(p.leader >= 0 for p in topic.partitions.values())


def _common(settings: Settings) -> dict[str, str | int | float | bool]:
    return {"bootstrap.servers": bootstrap(settings)}


def _dotted(
    overrides: dict[str, str | int | float | bool],
) -> dict[str, str | int | float | bool]:
    return {name.replace("_", "."): value for name, value in overrides.items()}
