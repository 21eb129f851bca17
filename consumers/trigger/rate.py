"""Shares of events that are watched for drift, and whether one has risen. Pure."""

from math import sqrt

from pydantic import Field

from schemas.interval import one_sided_z, wilson
from schemas.records import Record


class Rate(Record):
    """``count`` of ``n`` recent events."""

    n: int = Field(default=0, ge=0)
    count: int = Field(default=0, ge=0)

    @property
    def value(self) -> float | None:
        """The share; None for no events."""
        return self.count / self.n if self.n else None


class Rise(Record):
    """How much a share rose from one window to another, with bounds."""

    value: float
    low: float
    high: float


def rise(before: Rate, now: Rate, z: float | None = None) -> Rise | None:
    """The difference of two independent shares; None where one of them has no events.

    Bounds are one-sided 95 % each unless another ``z`` is given.

    Newcombe 1998, Statistics in Medicine 17:873, method 10 (hybrid score, from Wilson intervals).
    """
    if before.value is None or now.value is None:
        return None
    z = one_sided_z() if z is None else z
    old, new = wilson(before.count, before.n, z), wilson(now.count, now.n, z)
    difference = now.value - before.value
    below = sqrt((now.value - new.low) ** 2 + (old.high - before.value) ** 2)
    above = sqrt((new.high - now.value) ** 2 + (before.value - old.low) ** 2)
    return Rise(value=difference, low=difference - below, high=difference + above)
