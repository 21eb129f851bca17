"""Events to their topics outside the stages; the stages' runner has an outbox of its own."""

from collections.abc import Iterable

from confluent_kafka import KafkaError, Message

from infra.kafka import producer, topic_name
from infra.settings import Settings
from schemas.codec import Codec
from schemas.errors import DependencyDown
from schemas.events import TOPICS, Event, partition_key

# librdkafka gives up on a message by itself after 300 s; a person at a prompt is not kept so long.
_DELIVERY_S = 60.0
_BUFFER_FULL_POLL_S = 1.0
_POLL_S = 0.05


class Publisher:
    """A producer that is kept open; threads may share it.

    A message that the broker has not acknowledged within ``delivery_s`` is given up, and is not
    sent later behind the caller's back.
    """

    def __init__(self, settings: Settings, delivery_s: float = _DELIVERY_S) -> None:
        self._settings = settings
        self._delivery_s = delivery_s
        self._codec = Codec()
        self._producer = producer(settings, message_timeout_ms=round(delivery_s * 1000))

    def publish(self, events: Iterable[Event], to: str | None = None) -> int:
        """Send every event and return how many, once the broker has acknowledged all of them.

        Each goes to the topic of its type, or all of them ``to`` another (named without prefix).
        Raises ``DependencyDown`` where it did not take one; sending all of them again is harmless.
        """
        # Whichever thread polls reports for all of them; appending is atomic.
        reports: list[KafkaError | None] = []

        def on_delivery(error: KafkaError | None, _: Message) -> None:
            reports.append(error)

        sent = 0
        for event in events:
            topic = topic_name(self._settings, to or TOPICS[type(event)])
            key, value = partition_key(event).encode(), self._codec.encode(event)
            while True:
                try:
                    self._producer.produce(topic, key=key, value=value, on_delivery=on_delivery)
                    break
                except BufferError:
                    self._producer.poll(_BUFFER_FULL_POLL_S)
            self._producer.poll(0)
            sent += 1
        # The client reports every message within its time-out, delivered or not.
        while len(reports) < sent:
            self._producer.poll(_POLL_S)
        refused = [error for error in reports if error is not None]
        if refused:
            raise DependencyDown(
                f"Kafka did not take {len(refused)} of {sent} events within "
                f"{self._delivery_s:g} s ({refused[0].str()}); see `prefstream status` and try "
                "again",
                reason="unreachable",
            )
        return sent


def publish(settings: Settings, events: Iterable[Event], to: str | None = None) -> int:
    """Send every event of a batch job, see ``Publisher.publish``."""
    return Publisher(settings).publish(events, to)
