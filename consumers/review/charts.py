"""Geometry of the charts of the health page; the templates draw it as SVG.

Own shapes instead of a plotting library's, whose files carry inline styles that the pages'
content policy forbids.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil, floor, log10

from consumers.review.judge_series import Point
from schemas.records import ReliabilityBin

WIDTH, HEIGHT = 640.0, 240.0
_LEFT, _RIGHT, _TOP, _BOTTOM = 44.0, 16.0, 14.0, 34.0


@dataclass(frozen=True, kw_only=True)
class Mark:
    """One measured point: where it is, how far its interval reaches, and what it says."""

    x: float
    y: float
    low_y: float | None
    high_y: float | None
    size: float
    title: str


@dataclass(frozen=True, kw_only=True)
class Tick:
    """A labelled place on an axis."""

    at: float
    text: str


@dataclass(frozen=True, kw_only=True)
class Chart:
    """Everything in the SVG's own units. ``lines`` join the marks, one line a series, the last in
    front; ``rule`` is the reference as x1, y1, x2, y2."""

    width: float
    height: float
    left: float
    right: float
    bottom: float
    marks: tuple[Mark, ...]
    lines: tuple[str, ...]
    rule: tuple[float, float, float, float]
    x_ticks: tuple[Tick, ...]
    y_ticks: tuple[Tick, ...]


def series_chart(
    judges: Sequence[Sequence[Point]], rule: float, bottom: float, top: float
) -> Chart:
    """Values with their intervals in the order of time, a line a judge, against ``rule``.

    The scale reaches from ``bottom`` to ``top``, and further where a value or an interval does.
    """
    points = sorted((one for judge in judges for one in judge), key=lambda one: one.at)
    ends = [
        value for one in points for value in (one.value, one.low, one.high) if value is not None
    ]
    scale = _Scale(bottom=min([bottom, rule, *ends]), top=max([top, rule, *ends]))
    marks = {
        id(one): Mark(
            x=_across((number + 0.5) / len(points)),
            y=scale.up(one.value),
            low_y=None if one.low is None else scale.up(one.low),
            high_y=None if one.high is None else scale.up(one.high),
            size=4.0,
            title=one.title,
        )
        for number, one in enumerate(points)
    }
    at = scale.up(rule)
    # At most six dates fit under the axis.
    every = max(1, -(-len(points) // 6))
    return _chart(
        [[marks[id(one)] for one in judge] for judge in judges],
        (_across(0), at, _across(1), at),
        [Tick(at=marks[id(one)].x, text=f"{one.at:%d %b}") for one in points[::every]],
        scale.ticks(),
    )


def reliability_chart(bins: Sequence[ReliabilityBin]) -> Chart:
    """Share of verdicts people agree with, over the confidence the judge stated (0.5 to 1)."""
    most = max((one.n for one in bins), default=1)
    marks = tuple(
        Mark(
            x=_across((one.confidence - 0.5) * 2),
            y=_SHARES.up(one.accuracy),
            low_y=None,
            high_y=None,
            size=3.0 + 7.0 * (one.n / most) ** 0.5,
            title=f"stated {one.confidence:.2f}, right {one.accuracy:.2f}, {one.n} verdicts",
        )
        for one in bins
    )
    return _chart(
        [marks],
        (_across(0), _SHARES.up(0.5), _across(1), _SHARES.up(1)),
        [Tick(at=_across((x - 0.5) * 2), text=f"{x:g}") for x in (0.5, 0.6, 0.7, 0.8, 0.9, 1)],
        _SHARES.ticks(),
    )


def _chart(
    series: Sequence[Sequence[Mark]],
    rule: tuple[float, float, float, float],
    x_ticks: Sequence[Tick],
    y_ticks: Sequence[Tick],
) -> Chart:
    return Chart(
        width=WIDTH,
        height=HEIGHT,
        left=_LEFT,
        right=WIDTH - _RIGHT,
        bottom=HEIGHT - _BOTTOM,
        marks=tuple(mark for marks in series for mark in marks),
        lines=tuple(" ".join(f"{mark.x:.1f},{mark.y:.1f}" for mark in marks) for marks in series),
        rule=rule,
        x_ticks=tuple(x_ticks),
        y_ticks=tuple(y_ticks),
    )


def _across(share: float) -> float:
    return round(_LEFT + share * (WIDTH - _LEFT - _RIGHT), 1)


@dataclass(frozen=True, kw_only=True)
class _Scale:
    """The upright axis."""

    bottom: float
    top: float

    def up(self, value: float) -> float:
        share = (value - self.bottom) / (self.top - self.bottom)
        return round(HEIGHT - _BOTTOM - share * (HEIGHT - _TOP - _BOTTOM), 1)

    def ticks(self) -> list[Tick]:
        """Four to eight round numbers."""
        reach = self.top - self.bottom
        whole = 10.0 ** floor(log10(reach))
        step = next(whole * part for part in (0.1, 0.2, 0.5, 1) if reach / (whole * part) <= 8)
        first, last = ceil(self.bottom / step), floor(self.top / step)
        return [Tick(at=self.up(n * step), text=f"{n * step:g}") for n in range(first, last + 1)]


_SHARES = _Scale(bottom=0, top=1)
