"""Events onto a stage's topic, and when the broker got what the stage made of them."""

import time
from collections.abc import Iterable, Iterator

from confluent_kafka import TopicPartition

from infra.kafka import consumer, producer, topic_name
from infra.settings import Settings
from schemas.codec import Codec
from schemas.events import TOPICS, Event, partition_key

_DEADLINE_S = 300.0


def feed(settings: Settings, events: Iterable[Event]) -> None:
    """Put the events on their topics; all are in the log when this returns."""
    codec = Codec()
    client = producer(settings)
    for event in events:
        client.produce(
            topic_name(settings, TOPICS[type(event)]),
            key=partition_key(event).encode(),
            value=codec.encode(event),
        )
        client.poll(0)
    client.flush()


def times_ms(settings: Settings, topic: str, events: int) -> Iterator[int]:
    """When the broker got each of the first ``events`` events of the topic; fewer after 300 s."""
    reader = consumer(settings, "bench")
    name = topic_name(settings, topic)
    reader.assign([TopicPartition(name, p, 0) for p in range(settings.partitions)])
    left, deadline = events, time.monotonic() + _DEADLINE_S
    while left and time.monotonic() < deadline:
        for message in reader.consume(min(left, 1000), timeout=1.0):
            left -= 1
            yield message.timestamp()[1]
    reader.close()


def rate(moments_ms: Iterable[float]) -> float:
    """Events a second between the 5th and 95th hundredth: neither warm-up nor the last linger."""
    ordered = sorted(moments_ms)
    low, high = len(ordered) // 20, len(ordered) - len(ordered) // 20 - 1
    return (high - low) / max(1, ordered[high] - ordered[low]) * 1000
