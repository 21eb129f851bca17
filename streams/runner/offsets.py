"""The ledger of offsets: what was started and not yet finished decides what may be committed."""

from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

Partition = TypeVar("Partition", bound=Hashable)
Receipt = TypeVar("Receipt")


class OffsetLedger(Generic[Partition, Receipt]):
    """Started and unfinished offsets of each partition, held by strong references.

    A receipt is the very object that was started: finishing another one with the same offset
    (an older generation's, say) changes nothing. Every offset up to the highest started one is
    either pending or finished, so the first pending one is always safe to commit.
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._pending: dict[Partition, dict[int, tuple[Receipt, float]]] = {}  # in offset order
        self._high: dict[Partition, int] = {}

    def start(self, partition: Partition, offset: int, receipt: Receipt) -> None:
        """Work on the offset begins; nothing from it on may be committed until it is finished.

        An offset that is read again takes the place of the receipt that stood there.
        """
        pending = self._pending.setdefault(partition, {})
        pending[offset] = (receipt, self._clock())
        high = self._high.setdefault(partition, offset)
        if offset > high:
            self._high[partition] = offset
        else:  # read again from further back: rare, so order is restored here and free elsewhere
            self._pending[partition] = dict(sorted(pending.items()))

    def finish(self, partition: Partition, offset: int, receipt: Receipt) -> bool:
        """Work on the offset is over; False where this receipt is not the one in the ledger."""
        pending = self._pending.get(partition, {})
        held = pending.get(offset)
        if held is None or held[0] is not receipt:
            return False
        del pending[offset]
        return True

    def committable(self, partition: Partition) -> int | None:
        """The first pending offset, else one past the highest started; None where nothing was."""
        pending = self._pending.get(partition)
        if pending:
            return next(iter(pending))
        high = self._high.get(partition)
        return None if high is None else high + 1

    def partitions(self) -> tuple[Partition, ...]:
        """The partitions in which anything was started."""
        return tuple(self._high)

    def pending(self) -> tuple[Receipt, ...]:
        """All that is started and not finished."""
        return tuple(receipt for held in self._pending.values() for receipt, _ in held.values())

    def oldest_age_s(self) -> float:
        """How long the oldest pending work has been going on; 0 where there is none."""
        # list(): the health thread reads while the loop writes
        firsts = [since for held in list(self._pending.values()) for _, since in [*held.values()]]
        return self._clock() - min(firsts) if firsts else 0.0

    def clear(self) -> None:
        """Forget everything: another generation begins, what was pending is read again."""
        self._pending.clear()
        self._high.clear()

    def __len__(self) -> int:
        return sum(len(held) for held in self._pending.values())
