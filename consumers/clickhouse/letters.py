"""The sink's dead letters: delivered before the offset they stand for is committed."""

from collections.abc import Sequence

from confluent_kafka import KafkaError, Message, Producer

from infra.kafka import producer, topic_name
from infra.settings import Settings
from schemas.codec import Codec
from schemas.errors import DependencyDown
from schemas.events import TOPICS, DeadLetter, partition_key

_FLUSH_S = 30.0


class Letters:
    """Writes dead letters; opens its producer with the first one."""

    def __init__(self, settings: Settings, codec: Codec) -> None:
        self._settings = settings
        self._codec = codec
        self._producer: Producer | None = None
        self.sent = 0
        """How many were delivered so far, repeated ones included."""

    def send(self, letters: Sequence[DeadLetter]) -> None:
        """Deliver them all; raises ``DependencyDown`` where Kafka did not take one."""
        if not letters:
            return
        self._producer = self._producer or producer(self._settings)
        failed: list[str] = []

        def delivered(error: KafkaError | None, _: Message) -> None:
            if error is not None:
                failed.append(error.str())

        for letter in letters:
            self._producer.produce(
                topic_name(self._settings, TOPICS[DeadLetter]),
                key=partition_key(letter).encode(),
                value=self._codec.encode(letter),
                on_delivery=delivered,
            )
            self._producer.poll(0)
        if self._producer.flush(_FLUSH_S) or failed:
            why = "; ".join(failed[:3]) or "no answer in time"
            raise DependencyDown(
                f"Kafka did not take the sink's dead letters ({why}); see `prefstream status`",
                reason="unreachable",
            )
        self.sent += len(letters)
