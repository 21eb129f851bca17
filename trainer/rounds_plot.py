"""Rounds as a plot: who says the policy wins, how far they lie apart, and what verifiers say."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from infra.svg_plot import BLUE, GREY, ORANGE, svg
from trainer.rounds import RoundResult

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def rounds_plot(results: Sequence[RoundResult]) -> str:
    """An ``<svg>``: win rates of judge and people by round, the gap with its error, accuracy."""

    def draw(axes: "Axes") -> None:
        measured_by = ((one.round, one.wins) for one in results if one.wins is not None)
        # of one that waits for people nothing is known
        compared = [(number, wins) for number, wins in measured_by if wins.gap is not None]
        numbers = [number for number, _ in compared]
        for label, colour, values in (
            ("judge", BLUE, [100 * (wins.judge or 0) for _, wins in compared]),
            ("people", ORANGE, [100 * (wins.human or 0) for _, wins in compared]),
        ):
            axes.plot(numbers, values, "o-", color=colour, label=f"win rate by {label}")
        axes.errorbar(
            numbers,
            [100 * (wins.gap or 0) for _, wins in compared],
            yerr=[100 * (wins.gap_error or 0) for _, wins in compared],
            fmt="s--",
            color=GREY,
            capsize=3,
            label="gap between them, 95 %",
        )
        measured = [
            (one.round, 100 * one.evaluation.accuracy.value)
            for one in results
            if one.evaluation is not None and one.evaluation.accuracy.value is not None
        ]
        axes.plot(
            [number for number, _ in measured],
            [value for _, value in measured],
            "D:",
            color="C2",
            label="held-out accuracy",
        )
        axes.set_xticks([one.round for one in results])
        axes.set_xlabel("round")
        axes.set_ylabel("%")
        axes.figure.legend(loc="outside right upper", frameon=False, fontsize=8)

    return svg(draw)
