"""The Kafka runner: one stage as one worker of a consumer group, on faust.

    fetch -> slot -> decode -> stage (retries) -> outputs acked by the broker -> ack -> commit

An event's offset is committed only after its outputs (or its dead letter) are in the log and all
earlier events of the partition are finished (streams/ledger.py).
"""

import asyncio
import contextlib
import logging
import os
import signal
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import faust

from infra.kafka import bootstrap, group_name, producer, topic_name
from infra.settings import Settings
from infra.topics import MAX_MESSAGE_BYTES
from schemas.codec import Codec
from schemas.errors import Fatal, PrefstreamError
from schemas.events import EVENTS, Event
from streams.ledger import LedgerConsumer, check_faust
from streams.runner.attempt import Patience
from streams.runner.dead_letter import Arrival
from streams.runner.health import TICK_INTERVAL_S, TICK_LIMIT_S, Health, HealthServer, Heartbeat
from streams.runner.intake import Intake
from streams.runner.outbox import Outbox
from streams.runner.poison import PoisonWindow
from streams.runner.processor import Counts, Processor, decode
from streams.runner.window import Window
from streams.runner.worker_options import WorkerOptions
from streams.stage import Stage
from streams.topology import consumer_group

logger = logging.getLogger(__name__)

# An event keeps its slot until its outputs are delivered, so waiting for company costs rate.
LINGER_MS = 5


def create_app(settings: Settings, group: str, options: WorkerOptions) -> Any:
    """A faust app that commits by the ledger; most settings undo a default of faust."""
    check_faust()
    folder = settings.data_dir / "faust"
    folder.mkdir(parents=True, exist_ok=True)
    app: Any = faust.App(
        group,
        broker=";".join(f"kafka://{host}" for host in bootstrap(settings).split(",")),
        datadir=str(folder / group),
        autodiscover=False,
        web_enabled=False,
        # topics are made outside (infra), leader election would make one of its own
        topic_disable_leader=True,
        topic_allow_declare=False,
        table_standby_replicas=0,
        consumer_group_instance_id=options.instance,
        consumer_auto_offset_reset="earliest",
        consumer_max_fetch_size=MAX_MESSAGE_BYTES,
        broker_session_timeout=10.0,
        broker_heartbeat_interval=2.0,
        broker_request_timeout=30.0,
        broker_rebalance_timeout=60.0,
        broker_commit_interval=1.0,
        broker_max_poll_interval=options.poll_interval_s,
        broker_max_poll_records=options.polled_events(),
        stream_buffer_maxsize=options.buffered_events(),
        stream_wait_empty=True,
    )
    app.transport.Consumer = LedgerConsumer
    return app


class FaustWorker:
    """One worker process: faust fetches and commits, the processor does the rest."""

    def __init__(
        self,
        settings: Settings,
        stage: Stage[Any],
        options: WorkerOptions,
        source: str,
    ) -> None:
        self._settings = settings
        self._stage = stage
        self._options = options
        self._source = source
        self._topic = topic_name(settings, source)
        self._codec = Codec()
        self._counts = Counts()
        self._heartbeat = Heartbeat()
        self._stopping = False

    async def run(self) -> None:
        """Work until told to stop; raises what made it stop otherwise."""
        self._stop = asyncio.Event()
        self._intake = Intake(self._stage.name)
        self._window = Window(self._options.concurrency, self._on_failure)
        self._outbox = Outbox(
            producer(self._settings, linger_ms=LINGER_MS),
            self._codec,
            lambda topic: topic_name(self._settings, topic),
        )
        self._processor: Processor[Any] = Processor(
            stage=self._stage,
            intake=self._intake,
            patience=Patience(policy=self._options.retry),
            poison=PoisonWindow(self._options.poison),
            counts=self._counts,
        )
        self._app = create_app(
            self._settings,
            group_name(self._settings, consumer_group(self._stage.name)),
            self._options,
        )
        self._consumer: LedgerConsumer = self._app.consumer
        self._consumer.drain = self._drain
        self._app.agent(
            self._app.topic(
                self._topic,
                key_type=bytes,
                value_type=bytes,
                key_serializer="raw",
                value_serializer="raw",
            ),
            name=f"{self._stage.name}-worker",
        )(self._work)
        health = HealthServer(self._health, self._options.health_port)
        logger.info("%s: reading %s, health at %s", self._stage.name, self._topic, health.url)
        ticking = asyncio.create_task(self._tick())
        try:
            await self._until_stopped()
        finally:
            ticking.cancel()
            health.close()
            self._outbox.close()
            await self._stage.aclose()
        logger.info(
            "%s: stopped; %d in, %d out, %d discarded, %d dead letters",
            self._stage.name,
            self._counts.taken,
            self._counts.sent,
            self._counts.discarded,
            self._counts.dead,
        )

    async def _until_stopped(self) -> None:
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._stop.set)
        started = asyncio.create_task(self._app.start())
        stopped = asyncio.create_task(self._stop.wait())
        crashed = asyncio.create_task(self._app.wait_until_stopped())
        try:
            # start() returns once the group has been joined, which may take long
            await asyncio.wait({started, stopped}, return_when=asyncio.FIRST_COMPLETED)
            if not started.done() or started.exception() is None:
                await asyncio.wait({stopped, crashed}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            self._stopping = True
            await self._app.stop()
            for task in (started, stopped, crashed):
                task.cancel()
            results = await asyncio.gather(started, stopped, crashed, return_exceptions=True)
        if self._window.failure is not None:
            raise self._window.failure
        for error in (*results, self._app.crash_reason):
            if isinstance(error, PrefstreamError):
                raise error
            if isinstance(error, Exception):
                raise Fatal(f"the Kafka consumer stopped: {error!r}") from error

    async def _work(self, stream: Any) -> None:
        """The agent: a slot first, then the next event, so that whatever was fetched runs."""
        events = aiter(stream.noack().events())
        while True:
            await self._window.slot()
            try:
                await self._intake.wait_open()
                event = await anext(events)
            except BaseException as error:
                self._window.give_back()
                if isinstance(error, StopAsyncIteration):
                    return
                raise
            self._window.start(self._process(event))

    async def _process(self, event: Any) -> None:
        message = event.message
        arrival = Arrival(
            topic=self._source,
            partition=message.partition,
            offset=message.offset,
            at=datetime.fromtimestamp(message.timestamp, UTC),
            key=message.key,
            value=message.value,
        )
        decoded = decode(self._codec, message.value, EVENTS[self._source])
        await self._processor(arrival, decoded, self._deliver)
        event.ack()

    async def _deliver(self, outputs: Sequence[Event]) -> None:
        await self._outbox.deliver(self._outbox.pack(outputs))

    async def _drain(self) -> None:
        # Work that waits for a dependency cannot finish, and after a failure nothing need.
        waiting = self._intake.pause is not None or self._window.failure is not None
        left = await self._window.drain(0.0 if waiting else self._options.drain_s)
        if left:
            logger.warning(
                "%s: %d events unfinished, they will be read again", self._stage.name, left
            )

    def _on_failure(self, error: BaseException) -> None:
        if self._stopping or self._app.should_stop:
            # Half a stage may be gone already; the event is not acknowledged and is read again.
            logger.info("%s: while stopping: %r", self._stage.name, error)
            self._window.failure = None
        self._stop.set()

    async def _tick(self) -> None:
        while True:
            self._heartbeat.tick()
            with contextlib.suppress(AttributeError):  # the consumer thread is not up yet
                self._consumer.touch_poll()
            await asyncio.sleep(TICK_INTERVAL_S)

    def _health(self) -> Health:
        partitions = len(self._consumer.assigned_partitions())
        pause = self._intake.pause
        return Health(
            stage=self._stage.name,
            pid=os.getpid(),
            alive=self._heartbeat.age_s() < TICK_LIMIT_S,
            ready=partitions > 0 and pause is None and not self._stopping,
            tick_age_s=self._heartbeat.age_s(),
            oldest_pending_age_s=self._consumer.ledger.oldest_age_s(),
            pending=len(self._consumer.ledger),
            partitions=partitions,
            paused_reason=pause.reason if pause else None,
            paused_sentence=pause.sentence if pause else None,
            paused_for_s=self._intake.down_for_s(),
            taken=self._counts.taken,
            sent=self._counts.sent,
            discarded=self._counts.discarded,
            dead=self._counts.dead,
        )
