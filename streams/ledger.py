"""faust's Kafka consumer with a ledger instead of its own idea of what is safe to commit.

As shipped, faust-streaming 0.15.3 infers safety from runs of acknowledged offsets and loses events:
past unfinished ones, on exceptions, on shutdown, by garbage collection, and across generations
(docs/adr has the five cases, tests/faults their reproductions). Here an offset moves only when all
work that was started below it is finished.
"""

import time
from collections.abc import Awaitable, Callable, Iterator, Mapping, MutableSet
from typing import Any

import faust
from faust.transport.consumer import Consumer as _FaustConsumer
from faust.transport.drivers import aiokafka as driver
from faust.types import TP
from faust.types.tuples import Message

from schemas.errors import Fatal
from streams.runner.offsets import OffsetLedger

FAUST_VERSION = "0.15.3"
# aiokafka tries to leave the group for as long as the broker does not answer; faust would wait 60 s
# for that, longer than any supervisor does.
_GOODBYE_S = 10.0
# Private names of faust that the classes below replace or rely on.
REPLACED = (
    "_new_offset",
    "_filter_tps_with_pending_acks",
    "_should_commit",
    "_add_gap",
    "ack",
    "wait_empty",
    "on_partitions_assigned",
    "_commit_offsets",
)
RELIED_ON = ("_filter_committable_offsets", "commit", "assignment", "on_partitions_revoked")


def check_faust() -> None:
    """Raise ``Fatal`` unless this is the faust whose insides the ledger was written for."""
    missing = [n for n in (*REPLACED, *RELIED_ON) if not callable(getattr(_FaustConsumer, n, None))]
    if "_unacked_messages" not in _FaustConsumer.__annotations__:
        missing.append("_unacked_messages")
    if faust.__version__ != FAUST_VERSION or missing:
        raise Fatal(
            f"the commit ledger was written for faust-streaming {FAUST_VERSION}; installed is "
            f"{faust.__version__}"
            + (f", without {', '.join(missing)}" if missing else "")
            + "; install the locked requirements (pip install -r requirements.lock), or events "
            "could be lost"
        )


class InFlight(MutableSet[Message]):
    """What faust calls its unacknowledged messages, kept by the ledger (faust's is a WeakSet)."""

    def __init__(self, ledger: OffsetLedger[TP, Message]) -> None:
        self._ledger = ledger

    def add(self, value: Message) -> None:
        self._ledger.start(value.tp, value.offset, value)

    def discard(self, value: Message) -> None:
        self._ledger.finish(value.tp, value.offset, value)

    def __contains__(self, value: object) -> bool:
        return value in self._ledger.pending()

    def __iter__(self) -> Iterator[Message]:
        return iter(self._ledger.pending())

    def __len__(self) -> int:
        return len(self._ledger)


class LedgerConsumer(driver.Consumer):
    """A consumer that never commits past unfinished work.

    ``drain`` is awaited when partitions are revoked or the worker stops: it returns, within a
    bounded time, once nothing more will be acknowledged. What is then unfinished is read again.
    """

    drain: Callable[[], Awaitable[None]] | None = None

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._thread.shutdown_timeout = _GOODBYE_S
        self.ledger: OffsetLedger[TP, Message] = OffsetLedger(clock=time.monotonic)
        self._unacked_messages = InFlight(self.ledger)
        self._committed: dict[TP, int] = {}

    def ack(self, message: Message) -> bool:
        """Work on the message is over. Messages that the ledger does not hold are ignored."""
        message.acked = True
        return self.ledger.finish(message.tp, message.offset, message)

    def _filter_tps_with_pending_acks(self, topics: Any = None) -> Iterator[TP]:
        return (
            tp
            for tp in self.ledger.partitions()
            if topics is None or tp in topics or tp.topic in topics
        )

    def _new_offset(self, tp: TP) -> int | None:
        return self.ledger.committable(tp)

    def _should_commit(self, tp: TP, offset: int) -> bool:
        return offset > self._committed.get(tp, 0)

    async def _commit_offsets(
        self, offsets: Mapping[TP, int], start_new_transaction: bool = True
    ) -> bool:
        done: bool = await super()._commit_offsets(offsets, start_new_transaction)
        if done:  # faust notes a refused commit as done and would never repeat it
            self._committed.update(offsets)
        return done

    async def _add_gap(self, tp: TP, offset_from: int, offset_to: int) -> None:
        """Gaps in the log need no note: the ledger holds only what was started."""

    async def wait_empty(self) -> None:
        """Let work under way finish, within bounds, then commit what is finished."""
        if self.drain is not None:
            await self.drain()
        await self.commit_and_end_transactions()

    async def on_partitions_assigned(self, assigned: set[TP], generation_id: int = 0) -> None:
        """A new generation starts from its committed offsets with an empty ledger."""
        self.ledger.clear()
        self._committed.clear()
        await super().on_partitions_assigned(assigned, generation_id)

    def touch_poll(self) -> None:
        """Tell aiokafka that this worker is alive although it fetches nothing.

        Intake that is paused, or a full window, stops fetching; past max.poll.interval aiokafka
        would leave the group and, while nothing is fetched, never come back. Called from the
        event loop, so a loop that is blocked still leaves.
        """
        aiokafka_consumer = self._thread._consumer
        if aiokafka_consumer is not None:
            aiokafka_consumer._subscription._last_fetch_ended = time.monotonic()

    def assigned_partitions(self) -> frozenset[TP]:
        """The partitions this worker reads, empty before it has joined the group."""
        thread = self._thread
        return frozenset() if thread._consumer is None else frozenset(thread.assignment())
