"""How often a judge names the human winner: the plainest number of all."""

from collections.abc import Sequence

from schemas.interval import wilson
from schemas.records import Record


class Accuracy(Record):
    """``right`` of ``n`` with the 95 % interval of their share (Wilson).

    A tie, a conflict and an unreadable verdict name nobody, so they are not right. ``share`` is
    None for no anchor at all.
    """

    n: int
    right: int
    share: float | None
    low: float
    high: float


def accuracy(right: Sequence[bool]) -> Accuracy:
    """The share of True with its interval."""
    n, hits = len(right), sum(right)
    interval = wilson(hits, n)
    return Accuracy(
        n=n, right=hits, share=hits / n if n else None, low=interval.low, high=interval.high
    )
