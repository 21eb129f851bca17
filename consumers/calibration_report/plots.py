"""The plots of the report: each one question, drawn without more ink than its answer needs."""

from collections.abc import Sequence
from datetime import timedelta
from typing import TYPE_CHECKING

from consumers.agreement.win_rates import WinRates
from infra.svg_plot import BLUE, GREY, ORANGE, svg
from schemas.events import Calibration
from schemas.interval import two_sided_z

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_NAME_CHARACTERS = 22
# beside each other two of them share the width of the page
_HALF_IN = 5.4
_ROW_IN = 0.42
_LEAST_ROOM = timedelta(days=1)


def kappa_over_time(histories: Sequence[Sequence[Calibration]], min_kappa: float) -> str:
    """Kappa with its one-sided 95 % bounds at every measurement, a line a judge and rubric."""

    # imported here, like matplotlib itself
    from matplotlib.dates import ConciseDateFormatter

    def draw(axes: "Axes") -> None:
        colours = (BLUE, ORANGE, "#5b8c5a", "#8b5aa6", GREY)
        for number, history in enumerate(histories):
            known = [one for one in history if one.kappa is not None]
            if not known:
                continue
            places = [one.occurred_at for one in known]
            kappas = [one.kappa or 0.0 for one in known]
            bounds = [(one.lower_bound or 0.0, one.upper_bound or 0.0) for one in known]
            reach = [
                [kappa - low for kappa, (low, _) in zip(kappas, bounds, strict=True)],
                [high - kappa for kappa, (_, high) in zip(kappas, bounds, strict=True)],
            ]
            last = known[-1]
            axes.errorbar(
                places,  # type: ignore[arg-type]  # matplotlib takes dates; its stubs do not say so
                kappas,
                yerr=reach,
                color=colours[number % len(colours)],
                marker="o",
                capsize=3,
                linewidth=1.6,
                label=f"{_short(last.judge_config_hash)} · rubric {_short(last.rubric_version)}",
            )
        axes.axhline(min_kappa, color=GREY, linestyle="--", linewidth=1)
        axes.annotate(
            f"the gate asks for {min_kappa:g}",
            xy=(0.995, min_kappa),
            xycoords=("axes fraction", "data"),
            xytext=(0, -4),
            textcoords="offset points",
            color=GREY,
            fontsize=9,
            ha="right",
            va="top",
        )
        axes.set_ylabel("kappa")
        moments = [
            one.occurred_at for history in histories for one in history if one.kappa is not None
        ]
        if moments:
            # a single moment would stand on an axis of four years
            room = max((max(moments) - min(moments)) / 20, _LEAST_ROOM)
            axes.set_xlim(min(moments) - room, max(moments) + room)  # type: ignore[arg-type]  # dates
        dates = ConciseDateFormatter(axes.xaxis.get_major_locator())  # type: ignore[no-untyped-call]  # so in its stubs
        axes.xaxis.set_major_formatter(dates)
        axes.legend(frameon=False, fontsize=9, loc="best")

    return svg(draw, wide_in=9.0, high_in=3.8)


def reliability(calibration: Calibration) -> str:
    """Share of verdicts that people agree with against the confidence that the margin states."""

    def draw(axes: "Axes") -> None:
        axes.plot([0.5, 1], [0.5, 1], color=GREY, linestyle="--", linewidth=1)
        largest = max(one.n for one in calibration.reliability)
        axes.scatter(
            [one.confidence for one in calibration.reliability],
            [one.accuracy for one in calibration.reliability],
            s=[30 + 330 * one.n / largest for one in calibration.reliability],
            color=BLUE,
            alpha=0.75,
        )
        for one in calibration.reliability:
            axes.annotate(
                f"{one.n}",
                xy=(one.confidence, one.accuracy),
                xytext=(0, -16),
                textcoords="offset points",
                ha="center",
                fontsize=8,
            )
        axes.set_xlabel("confidence stated by the margin")
        axes.set_ylabel("share people agree with")
        axes.set_xlim(0.48, 1.02)
        axes.set_ylim(bottom=min(0.45, *(one.accuracy - 0.05 for one in calibration.reliability)))
        axes.set_ylim(top=1.06)

    return svg(draw, wide_in=_HALF_IN, high_in=3.8)


def slices(
    whole: Calibration, parts: Sequence[Calibration], ceilings: dict[str, float], min_kappa: float
) -> str:
    """Kappa with its bounds of every slice, and how well people agree there with each other."""

    def draw(axes: "Axes") -> None:
        rows = [("all", whole), *((one.slice, one) for one in parts)]
        for place, (name, one) in enumerate(reversed(rows)):
            if name in ceilings:
                axes.plot(ceilings[name], place, marker="|", markersize=16, color=ORANGE)
            if one.kappa is None or one.lower_bound is None or one.upper_bound is None:
                axes.annotate("undefined: one class only", xy=(0.02, place), fontsize=9, color=GREY)
                continue
            axes.plot([one.lower_bound, one.upper_bound], [place, place], color=BLUE, linewidth=2)
            axes.plot(one.kappa, place, marker="o", color=BLUE)
        axes.axvline(min_kappa, color=GREY, linestyle="--", linewidth=1)
        axes.set_yticks(
            range(len(rows)), [f"{_short(name)} (n {one.n})" for name, one in reversed(rows)]
        )
        axes.set_ylim(-0.6, len(rows) - 0.4)
        axes.set_xlim(right=1.02)
        axes.set_xlabel("kappa (orange: people against each other)")

    return svg(draw, wide_in=_HALF_IN, high_in=1.3 + _ROW_IN * (1 + len(parts)))


def biases(history: Sequence[Calibration]) -> str:
    """Position bias and length slope of the newest measurement with their 95 % intervals."""

    def draw(axes: "Axes") -> None:
        now = history[-1]
        rows = [
            ("first slot\n(log-odds)", now.position_bias, now.position_bias_error),
            ("longer answer\n(slope)", now.length_slope, now.length_slope_error),
        ]
        for place, (_, value, error) in enumerate(reversed(rows)):
            if value is None:
                axes.annotate("not measured", xy=(0, place), fontsize=9, color=GREY)
                continue
            half = two_sided_z() * (error or 0.0)
            axes.plot([value - half, value + half], [place, place], color=BLUE, linewidth=2)
            axes.plot(value, place, marker="o", color=BLUE)
        axes.axvline(0, color=GREY, linewidth=1)
        axes.set_yticks(range(len(rows)), [name for name, _, _ in reversed(rows)])
        axes.set_ylim(-0.7, len(rows) - 0.3)
        low, high = axes.get_xlim()
        axes.set_xlim(min(low, -0.6), max(high, 0.6))

    return svg(draw, wide_in=_HALF_IN, high_in=2.2)


def win_rate_plot(found: WinRates) -> str:
    """Win rate of each model by the judge against that by people."""

    def draw(axes: "Axes") -> None:
        axes.plot([0, 1], [0, 1], color=GREY, linestyle="--", linewidth=1)
        for name, one in found.models.items():
            axes.plot(one.human, one.judge, marker="o", color=BLUE)
            axes.annotate(
                _short(name), xy=(one.human, one.judge), xytext=(6, -4), textcoords="offset points"
            )
        axes.set_xlabel("win rate by people")
        axes.set_ylabel("win rate by the judge")

    return svg(draw, wide_in=_HALF_IN, high_in=3.8)


def _short(name: str) -> str:
    # a name is not a formula, whatever dollars it holds
    cut = name if len(name) <= _NAME_CHARACTERS else f"{name[: _NAME_CHARACTERS - 1]}…"
    return cut.replace("$", r"\$")
