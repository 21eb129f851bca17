"""Wilson's confidence interval of a share: the one statistic that every layer reports."""

from dataclasses import dataclass
from math import sqrt
from statistics import NormalDist

CONFIDENCE = 0.95


@dataclass(frozen=True, kw_only=True)
class Interval:
    """Lower and upper bound, both included."""

    low: float
    high: float


def two_sided_z(confidence: float = CONFIDENCE) -> float:
    """Standard normal quantile of a two-sided interval: 1.96 at 0.95."""
    return NormalDist().inv_cdf((1 + confidence) / 2)


def one_sided_z(confidence: float = CONFIDENCE) -> float:
    """Standard normal quantile of a one-sided bound: 1.645 at 0.95."""
    return NormalDist().inv_cdf(confidence)


def wilson(successes: int, n: int, z: float | None = None) -> Interval:
    """Score interval of a share (Wilson 1927), two-sided 95 % by default; [0, 1] for n = 0.

    Raises ``ValueError`` where there are more successes than trials.
    """
    if not 0 <= successes <= n:
        raise ValueError(f"{successes} successes of {n}: must be between 0 and n")
    if n == 0:
        return Interval(low=0.0, high=1.0)
    z = two_sided_z() if z is None else z
    share, spread = successes / n, z * z / n
    centre = (share + spread / 2) / (1 + spread)
    half = z * sqrt(share * (1 - share) / n + spread / (4 * n)) / (1 + spread)
    # The closed form misses its own limits at 0 and n by rounding.
    low = 0.0 if successes == 0 else max(0.0, centre - half)
    high = 1.0 if successes == n else min(1.0, centre + half)
    return Interval(low=low, high=high)
