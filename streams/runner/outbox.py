"""Events to Kafka, and the wait until the broker has them."""

import asyncio
import threading
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from confluent_kafka import KafkaError, KafkaException, Message, Producer

from infra.topics import MAX_MESSAGE_BYTES
from schemas.codec import Codec
from schemas.errors import Fatal, Poison
from schemas.events import TOPICS, Event, partition_key

# Room for key, headers and framing beside the value.
MAX_VALUE_BYTES = MAX_MESSAGE_BYTES - 64 * 1024
# How long the delivery thread sleeps in librdkafka at most; it wakes for every report.
POLL_S = 0.2
# Pause before a full send buffer is tried again.
BUFFER_FULL_WAIT_S = 0.01


@dataclass(frozen=True, kw_only=True)
class Parcel:
    """One event as bytes, addressed."""

    topic: str
    key: bytes
    value: bytes


class Outbox:
    """A producer whose deliveries can be awaited on an event loop.

    Delivery reports come in on a thread of its own and are handed to the loop in batches.
    """

    def __init__(self, producer: Producer, codec: Codec, topic_name: Callable[[str], str]) -> None:
        self._producer = producer
        self._codec = codec
        self._topic_name = topic_name
        self._reports: deque[tuple[asyncio.Future[None], KafkaError | None]] = deque()
        self._loop = asyncio.get_running_loop()
        self._scheduled = False
        self._closed = threading.Event()
        self._thread = threading.Thread(target=self._poll, name="outbox", daemon=True)
        self._thread.start()

    def pack(self, events: Sequence[Event]) -> tuple[Parcel, ...]:
        """The events as bytes; raises ``Poison`` where one fits no schema or no message."""
        return tuple(self._parcel(event) for event in events)

    def _parcel(self, event: Event) -> Parcel:
        value = self._codec.encode(event)
        if len(value) > MAX_VALUE_BYTES:
            raise Poison(
                f"{type(event).__name__} {event.event_id} made of it is {len(value):,} bytes long; "
                f"at most {MAX_VALUE_BYTES:,} fit in a message"
            )
        topic = self._topic_name(TOPICS[type(event)])
        return Parcel(topic=topic, key=partition_key(event).encode(), value=value)

    async def deliver(self, parcels: Sequence[Parcel]) -> None:
        """Return once the broker has acknowledged every one of them.

        Raises ``Fatal`` where it refused one or did not answer in librdkafka's time.
        """
        reports = [await self._send(parcel) for parcel in parcels]
        for report in reports:
            await report

    async def _send(self, parcel: Parcel) -> asyncio.Future[None]:
        report: asyncio.Future[None] = self._loop.create_future()

        def on_delivery(error: KafkaError | None, _: Message) -> None:
            self._reports.append((report, error))
            if not self._scheduled:
                self._scheduled = True
                self._loop.call_soon_threadsafe(self._hand_over)

        while True:
            try:
                self._producer.produce(
                    parcel.topic, key=parcel.key, value=parcel.value, on_delivery=on_delivery
                )
                return report
            except BufferError:
                await asyncio.sleep(BUFFER_FULL_WAIT_S)
            except KafkaException as error:
                raise Fatal(f"cannot send to topic {parcel.topic}: {error}") from error

    def _hand_over(self) -> None:
        self._scheduled = False
        while self._reports:
            report, error = self._reports.popleft()
            if report.done():
                continue  # whoever waited was cancelled
            if error is None:
                report.set_result(None)
            else:
                report.set_exception(
                    Fatal(f"the broker did not take an event: {error.str()}; see its log")
                )

    def _poll(self) -> None:
        while not self._closed.is_set():
            self._producer.poll(POLL_S)

    def close(self, timeout_s: float = 5.0) -> None:
        """Stop; what is still on its way gets at most ``timeout_s``."""
        self._closed.set()
        self._thread.join()
        self._producer.flush(timeout_s)
