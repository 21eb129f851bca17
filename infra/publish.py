"""Events of a batch job to their topics; the stages' runner has an outbox of its own."""

from collections.abc import Iterable

from confluent_kafka import KafkaError, Message

from infra.kafka import producer, topic_name
from infra.settings import Settings
from schemas.codec import Codec
from schemas.errors import DependencyDown
from schemas.events import TOPICS, Event, partition_key

# librdkafka gives up on a message by itself after 300 s; a person at a prompt is not kept so long.
_FLUSH_S = 60.0
_BUFFER_FULL_POLL_S = 1.0


def publish(settings: Settings, events: Iterable[Event]) -> int:
    """Send every event and return how many, once the broker has acknowledged all of them.

    Raises ``DependencyDown`` where it did not take one; sending all of them again is harmless.
    """
    client, codec = producer(settings), Codec()
    refused: list[KafkaError] = []

    def on_delivery(error: KafkaError | None, _: Message) -> None:
        if error is not None:
            refused.append(error)

    sent = 0
    for event in events:
        topic = topic_name(settings, TOPICS[type(event)])
        key, value = partition_key(event).encode(), codec.encode(event)
        while True:
            try:
                client.produce(topic, key=key, value=value, on_delivery=on_delivery)
                break
            except BufferError:
                client.poll(_BUFFER_FULL_POLL_S)
        client.poll(0)
        sent += 1
    left = client.flush(_FLUSH_S)
    if refused or left:
        reason = refused[0].str() if refused else f"no answer within {_FLUSH_S:g} s"
        raise DependencyDown(
            f"Kafka did not take {len(refused) + left} of {sent} events ({reason}); "
            "see `prefstream status` and run the command again",
            reason="unreachable",
        )
    return sent
