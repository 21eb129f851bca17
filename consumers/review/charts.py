"""Geometry of the two charts of the health page; the templates draw it as SVG.

Own shapes instead of a plotting library's, whose files carry inline styles that the pages'
content policy forbids.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from schemas.events import Calibration
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
    """Everything in the SVG's own units. ``line`` joins the marks; ``rule`` is the reference as
    x1, y1, x2, y2."""

    width: float
    height: float
    left: float
    right: float
    bottom: float
    marks: tuple[Mark, ...]
    line: str
    rule: tuple[float, float, float, float]
    x_ticks: tuple[Tick, ...]
    y_ticks: tuple[Tick, ...]


def kappa_chart(history: Sequence[Calibration], threshold: float) -> Chart:
    """Kappa with its interval over the measurements, against what the gate asks for."""
    measured = [one for one in history if one.kappa is not None]
    values = [
        value
        for one in measured
        for value in (one.kappa, one.lower_bound, one.upper_bound, threshold)
        if value is not None
    ]
    bottom = min([0.0, *values])
    marks = tuple(
        Mark(
            x=_across((number + 0.5) / len(measured)),
            y=_up(one.kappa or 0.0, bottom),
            low_y=None if one.lower_bound is None else _up(one.lower_bound, bottom),
            high_y=None if one.upper_bound is None else _up(one.upper_bound, bottom),
            size=4.0,
            title=_kappa_title(one),
        )
        for number, one in enumerate(measured)
    )
    at = _up(threshold, bottom)
    # At most six dates fit under the axis.
    every = max(1, -(-len(measured) // 6))
    return _chart(
        marks,
        (_across(0), at, _across(1), at),
        [
            Tick(at=mark.x, text=f"{one.occurred_at:%d %b}")
            for mark, one in list(zip(marks, measured, strict=True))[::every]
        ],
        [
            Tick(at=_up(value, bottom), text=f"{value:g}")
            for value in (-1, -0.5, 0, 0.25, 0.5, 0.75, 1)
            if value >= bottom
        ],
    )


def reliability_chart(bins: Sequence[ReliabilityBin]) -> Chart:
    """Share of verdicts people agree with, over the confidence the judge stated (0.5 to 1)."""
    most = max((one.n for one in bins), default=1)
    marks = tuple(
        Mark(
            x=_across((one.confidence - 0.5) * 2),
            y=_up(one.accuracy, 0),
            low_y=None,
            high_y=None,
            size=3.0 + 7.0 * (one.n / most) ** 0.5,
            title=f"stated {one.confidence:.2f}, right {one.accuracy:.2f}, {one.n} verdicts",
        )
        for one in bins
    )
    return _chart(
        marks,
        (_across(0), _up(0.5, 0), _across(1), _up(1, 0)),
        [Tick(at=_across((x - 0.5) * 2), text=f"{x:g}") for x in (0.5, 0.6, 0.7, 0.8, 0.9, 1)],
        [Tick(at=_up(y, 0), text=f"{y:g}") for y in (0, 0.25, 0.5, 0.75, 1)],
    )


def _chart(
    marks: tuple[Mark, ...],
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
        marks=marks,
        line=" ".join(f"{mark.x:.1f},{mark.y:.1f}" for mark in marks),
        rule=rule,
        x_ticks=tuple(x_ticks),
        y_ticks=tuple(y_ticks),
    )


def _kappa_title(one: Calibration) -> str:
    interval = (
        ""
        if one.lower_bound is None or one.upper_bound is None
        else f" ({one.lower_bound:.2f} to {one.upper_bound:.2f})"
    )
    return f"{one.occurred_at:%Y-%m-%d}: kappa {one.kappa:.3f}{interval}, {one.n} anchors"


def _across(share: float) -> float:
    return round(_LEFT + share * (WIDTH - _LEFT - _RIGHT), 1)


def _up(value: float, bottom: float) -> float:
    share = (value - bottom) / (1 - bottom)
    return round(HEIGHT - _BOTTOM - share * (HEIGHT - _TOP - _BOTTOM), 1)
