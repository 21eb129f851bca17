"""What the health page draws over time: a value of every measurement, its interval and words."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from schemas.events import Calibration
from schemas.interval import two_sided_z, wilson
from schemas.records import Winner


@dataclass(frozen=True, kw_only=True)
class Point:
    """One measured value; the interval is None where it is not known."""

    at: datetime
    value: float
    low: float | None
    high: float | None
    title: str


def kappas(history: Sequence[Calibration]) -> list[Point]:
    """Kappa between its one-sided 95 % bounds."""
    return [
        _point(one, "kappa", one.kappa, one.lower_bound, one.upper_bound)
        for one in history
        if one.kappa is not None
    ]


def turned_of(one: Calibration) -> tuple[int, int]:
    """How many verdicts turned with the order, of how many."""
    turned = sum(cell.n for cell in one.confusion if cell.judge == Winner.CONFLICT)
    return turned, sum(cell.n for cell in one.confusion)


def flips(history: Sequence[Calibration]) -> list[Point]:
    """Share of anchors whose verdict depends on the order the answers stand in."""
    found = []
    for one in history:
        turned, total = turned_of(one)
        if total:
            bounds = wilson(turned, total)
            found.append(_point(one, "flips", turned / total, bounds.low, bounds.high))
    return found


def position_biases(history: Sequence[Calibration]) -> list[Point]:
    """Log-odds towards the first answer."""
    return [
        _estimate(one, "position bias", one.position_bias, one.position_bias_error)
        for one in history
        if one.position_bias is not None
    ]


def length_slopes(history: Sequence[Calibration]) -> list[Point]:
    """How much more than people the judge favours the longer answer."""
    return [
        _estimate(one, "length slope", one.length_slope, one.length_slope_error)
        for one in history
        if one.length_slope is not None
    ]


def _estimate(one: Calibration, name: str, value: float, error: float | None) -> Point:
    if error is None:
        return _point(one, name, value, None, None)
    half = two_sided_z() * error
    return _point(one, name, value, value - half, value + half)


def _point(
    one: Calibration, name: str, value: float, low: float | None, high: float | None
) -> Point:
    interval = "" if low is None or high is None else f" ({low:.2f} to {high:.2f})"
    judge = one.judge_config_hash
    title = f"{one.occurred_at:%Y-%m-%d}: {name} {value:.3f}{interval}, {one.n} anchors, {judge}"
    return Point(at=one.occurred_at, value=value, low=low, high=high, title=title)
