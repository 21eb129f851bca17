"""Every topic into its table, each event once, whatever is killed when (plan.py says how)."""

import logging
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime

from confluent_kafka import Consumer, KafkaError, KafkaException, Message, TopicPartition

from consumers.clickhouse.insert import Tables, decode
from consumers.clickhouse.intake import PartitionIntake
from consumers.clickhouse.lag import SINK_GROUP
from consumers.clickhouse.letters import Letters
from consumers.clickhouse.offsets import CommitRefused, commit
from consumers.clickhouse.plan import Block, BlockLimits, resume
from consumers.clickhouse.tables import TABLES, Table
from infra.kafka import admin, consumer, group_name, topic_name, unreachable
from infra.kafka_offsets import identify
from infra.settings import Settings
from schemas.codec import Codec
from schemas.errors import DependencyDown, Fatal
from streams.runner.dead_letter import Arrival

_log = logging.getLogger("prefstream.sink")

_BATCH = 2000
_POLL_S = 0.2
_KAFKA_TIMEOUT_S = 15.0
# All partitions together: with rows three times as large as messages, well under 1 GiB.
_HELD_BYTES = 96 * 1024 * 1024
_RETRY_S = 1.0
_REPORT_S = 10.0

_Partition = tuple[str, int]


class Sink:
    """One sink process. Everything happens in the thread that calls ``run``, so that a rebalance
    never meets an insert: it drops what was read and not yet planned, and the next owner replays
    what was planned.
    """

    def __init__(
        self,
        settings: Settings,
        tables: Tables,
        *,
        instance: str | None = None,
        limits: BlockLimits | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """``instance`` is a name that stays over restarts and that no other running sink has:
        with it a killed sink takes up its partitions again at once."""
        self._settings = settings
        self._tables = tables
        self._limits = limits or BlockLimits()
        self._clock = clock
        self._codec = Codec()
        self._letters = Letters(settings, self._codec)
        self._names: dict[str, Table] = {
            topic_name(settings, topic): table for topic, table in TABLES.items()
        }
        self._intakes: dict[_Partition, PartitionIntake] = {}
        self._stopping = False
        self._down = False
        self._retry_at_s = 0.0
        self._reported_s = clock()
        self.rows = 0
        """Rows inserted so far, replayed ones included."""
        overrides = {"group_instance_id": instance} if instance else {}
        self._consumer: Consumer = consumer(
            settings, group_name(settings, SINK_GROUP), enable_partition_eof=True, **overrides
        )

    def run(self) -> None:
        """Write until ``stop``.

        Raises ``Fatal`` where another sink has this one's name, and ``DependencyDown`` where Kafka
        assigns partitions and then does not tell their offsets: start it again.
        """
        self._consumer.subscribe(
            list(self._names),
            on_assign=self._assigned,
            on_revoke=self._revoked,
            on_lost=self._revoked,
        )
        try:
            while not self._stopping:
                self._step()
            self._finish()
        finally:
            self._consumer.close()
            self._report(0.0)

    def stop(self) -> None:
        """Have ``run`` finish what it holds and return; may be called from a signal handler."""
        self._stopping = True

    def _step(self) -> None:
        # While blocks are due, polling is only for the group's sake: reading on would pile up.
        busy = self._clock() >= self._retry_at_s and bool(self._due(self._limits))
        for message in self._consumer.consume(1 if busy else _BATCH, 0 if busy else _POLL_S):
            self._take(message)
        if self._clock() < self._retry_at_s:
            if self._down:
                self._pause()
            return
        held = sum(intake.held_bytes for intake in self._intakes.values())
        age_s = 0.0 if held >= _HELD_BYTES else self._limits.age_s
        try:
            self._write(replace(self._limits, age_s=age_s))
        except CommitRefused as error:
            # Nothing is lost: the blocks stay planned, or belong to another sink by now.
            _log.warning("commit refused", extra={"detail": str(error)})
            self._retry_at_s = self._clock() + _RETRY_S
        except DependencyDown as error:
            if not self._down:
                _log.warning("intake paused", extra={"reason": error.reason, "detail": str(error)})
            self._down = True
            self._retry_at_s = self._clock() + _RETRY_S
        else:
            if self._down:
                _log.warning("intake open again")
                self._down = False
                self._consumer.resume(self._assignment())
        self._report(_REPORT_S)

    def _take(self, message: Message) -> None:
        intake = self._intakes.get((str(message.topic()), int(message.partition() or 0)))
        error = message.error()
        if error is not None and error.code() == KafkaError._PARTITION_EOF:
            if intake is not None:
                intake.reached(int(message.offset() or 0))
        elif error is not None:
            if error.fatal():
                raise Fatal(f"Kafka refuses this sink: {error.str()}; is another one running?")
            _log.warning("kafka", extra={"detail": error.str()})
        elif intake is not None:
            _, at_ms = message.timestamp()
            arrival = Arrival(
                topic=intake.table.topic,
                partition=intake.partition,
                offset=int(message.offset() or 0),
                at=datetime.fromtimestamp(max(at_ms, 0) / 1000, UTC),
                key=message.key(),
                value=message.value(),
            )
            intake.add(arrival, self._clock())

    def _write(self, limits: BlockLimits) -> None:
        """Plan, insert and commit every block that is due."""
        passed = {place: intake for place, intake in self._intakes.items() if intake.passed}
        commit(self._consumer, [_offset(p, intake.position) for p, intake in passed.items()])
        for intake in passed.values():
            intake.passed = False
        due = self._due(limits)
        new = {p: b for p, b in due.items() if not self._intakes[p].replaying}
        commit(self._consumer, [_offset(place, b.first, b.metadata) for place, b in new.items()])
        for place, block in new.items():
            self._intakes[place].plan(block)
        inserted: dict[_Partition, Block] = {}
        try:
            for place, block in due.items():
                self._insert(self._intakes[place], block)
                inserted[place] = block
        finally:
            commit(self._consumer, [_offset(p, b.last + 1) for p, b in inserted.items()])
            for place, block in inserted.items():
                self._intakes[place].done(block)

    def _due(self, limits: BlockLimits) -> dict[_Partition, Block]:
        now_s = self._clock()
        blocks = {place: intake.due(now_s, limits) for place, intake in self._intakes.items()}
        return {place: block for place, block in blocks.items() if block is not None}

    def _finish(self) -> None:
        """Write what is held, so that little is pending after an orderly stop."""
        try:
            while self._due(replace(self._limits, age_s=0)):
                self._write(replace(self._limits, age_s=0))
        except (DependencyDown, CommitRefused) as error:
            # It is planned at most: the next sink goes on with it.
            _log.warning("stopped with blocks under way", extra={"detail": str(error)})

    def _insert(self, intake: PartitionIntake, block: Block) -> None:
        messages = intake.messages(block)
        decoded = decode(self._codec, intake.table, intake.topic_uuid, messages)
        self._letters.send(decoded.dead_letters)
        token = block.token(intake.topic_uuid, intake.partition)
        self._tables.insert(intake.table, decoded.rows, token)
        self.rows += len(decoded.rows)

    def _assigned(self, consumer: Consumer, partitions: list[TopicPartition]) -> None:
        try:
            self._take_up(consumer, partitions)
        except KafkaException as error:
            raise unreachable(self._settings, error) from None

    def _take_up(self, consumer: Consumer, partitions: list[TopicPartition]) -> None:
        if not partitions:
            return
        names = {partition.topic for partition in partitions}
        found_topics = identify(self._settings, admin(self._settings), names)
        starts = []
        for found in consumer.committed(partitions, timeout=_KAFKA_TIMEOUT_S):
            low, high = consumer.get_watermark_offsets(found, timeout=_KAFKA_TIMEOUT_S)
            start = resume(
                committed=found.offset if found.offset >= 0 else None,
                metadata=found.metadata,
                low=low,
                high=high,
            )
            place = (found.topic, found.partition)
            if start.lost is not None:
                _log.error(
                    "Kafka deleted offsets before they were known to be in the table",
                    extra={"topic": place[0], "partition": place[1], "offsets": start.lost},
                )
            uuid = found_topics[found.topic].uuid
            self._intakes[place] = PartitionIntake(
                self._names[found.topic], found.partition, uuid, start
            )
            starts.append(_offset(place, start.position))
        consumer.incremental_assign(starts)
        replays = sum(intake.replaying for intake in self._intakes.values())
        _log.info("partitions assigned", extra={"partitions": len(starts), "replays": replays})

    def _revoked(self, _: Consumer, partitions: list[TopicPartition]) -> None:
        for partition in partitions:
            self._intakes.pop((partition.topic, partition.partition), None)

    def _pause(self) -> None:
        try:
            self._consumer.pause(self._assignment())
        except KafkaException as error:
            _log.debug("not paused", extra={"detail": str(error)})

    def _assignment(self) -> list[TopicPartition]:
        return [TopicPartition(topic, partition) for topic, partition in self._intakes]

    def _report(self, every_s: float) -> None:
        if self._clock() - self._reported_s >= every_s:
            self._reported_s = self._clock()
            _log.info("written", extra={"rows": self.rows, "dead_letters": self._letters.sent})


def _offset(place: _Partition, offset: int, metadata: str = "") -> TopicPartition:
    # The binding takes no None for "no metadata".
    return TopicPartition(*place, offset, metadata) if metadata else TopicPartition(*place, offset)
