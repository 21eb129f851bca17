"""The report's plots as SVG text."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from examples.harbor.full.policies import TITLES
from examples.harbor.full.result import FullResult
from infra.svg_plot import BLUE, GREY, ORANGE, svg
from schemas.records import GateResult, Verdict

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_MARKS = "osD^v<>Pp*"
# Gates that want a share or a kappa, or a bound of one, to be no less than their threshold.
_AT_LEAST = ("kappa", "coverage", "slice ", "holdout", "human_share")


def accuracy_against_length(result: FullResult) -> str:
    """Each policy's mean, its spread over seeds as a bar."""

    def draw(axes: "Axes") -> None:
        for number, (name, one) in enumerate(result.policies.items()):
            axes.errorbar(
                one.median_length,
                100 * one.mean,
                yerr=[[100 * (one.mean - one.least)], [100 * (one.most - one.mean)]],
                fmt=_MARKS[number % len(_MARKS)],
                color=f"C{number}",
                capsize=3,
                label=TITLES[name],
            )
        axes.set_xlabel("median length of an answer, characters")
        axes.set_ylabel("execution accuracy, %")
        axes.figure.legend(loc="outside right upper", frameon=False, fontsize=8)

    return svg(draw)


def margins(result: FullResult) -> str:
    """How sure the judge was of the pairs it decided, in each round."""

    def draw(axes: "Axes") -> None:
        rounds = [one for one in result.rounds if one.margins]
        axes.set_xlabel("margin |m| of the judge, log-odds (13.8: as sure as is counted)")
        axes.set_ylabel("pairs")
        if not rounds:
            return
        axes.hist(
            [list(one.margins) for one in rounds],
            bins=28,
            # a judge is nearly always as sure as is counted: no magnifying of what lies below it
            range=(0, 14),
            label=[f"round {one.round}: {len(one.margins)} pairs" for one in rounds],
            color=[BLUE, ORANGE][: len(rounds)],
        )
        axes.legend(frameon=False)

    return svg(draw)


def gate_decisions(asked: Sequence[tuple[str, GateResult]]) -> str:
    """What was asked, and each of its gates that is a share or a kappa, against its least value."""
    rows = [
        (f"{title}: {gate.name}", gate.value, gate.threshold, gate.verdict is Verdict.PASS)
        for title, gate in asked
        if gate.value is not None and gate.threshold is not None and gate.name.startswith(_AT_LEAST)
    ]

    def draw(axes: "Axes") -> None:
        for place, (_, value, least, passed) in enumerate(reversed(rows)):
            axes.plot(value, place, "o" if passed else "X", color=BLUE if passed else ORANGE)
            axes.plot(least, place, "|", color=GREY, markersize=12)
        axes.set_yticks(range(len(rows)), [title for title, *_ in reversed(rows)], fontsize=7)
        axes.set_xlabel("value (● passed, ✖ did not), and the least that passes (|)")

    return svg(draw, high_in=1.2 + 0.22 * len(rows))


def cost(result: FullResult) -> str:
    """Dollars against pairs: people label all of them, or anchors and core rows only."""
    bill = result.bill
    made = sum(sum(one.counts.values()) - one.counts.get("HUMAN", 0) for one in result.rounds)

    def draw(axes: "Axes") -> None:
        pairs = [10 ** (2 + step / 10) for step in range(31)]
        axes.plot(
            pairs, [bill.people_at(int(n)) for n in pairs], color=ORANGE, label="people label all"
        )
        axes.plot(
            pairs,
            [bill.ours_at(int(n)) for n in pairs],
            color=BLUE,
            label="people label anchors and core rows",
        )
        axes.axvline(made, color=GREY, linestyle=":", label=f"this run: {made} pairs")
        if bill.pairs_for_target is not None:
            axes.axvline(
                bill.pairs_for_target,
                color=GREY,
                linestyle="--",
                label=f"−{bill.target:.0%}: {bill.pairs_for_target:,} pairs",
            )
        axes.set_xscale("log")
        axes.set_yscale("log")
        axes.set_xlabel("machine-labelled pairs")
        axes.set_ylabel("US dollars")
        axes.legend(frameon=False)

    return svg(draw)


def seeds(result: FullResult) -> str:
    """Every seed of every policy, with the mean's 95 % interval over questions."""

    def draw(axes: "Axes") -> None:
        names = list(result.policies)
        for place, name in enumerate(reversed(names)):
            one = result.policies[name]
            axes.plot(
                [100 * one.low, 100 * one.high], [place, place], color=GREY, linewidth=6, alpha=0.4
            )
            found: Sequence[float] = [
                100 * (cell.evaluation.accuracy.value or 0)
                for cell in result.cells
                if cell.name == name and cell.evaluation is not None
            ]
            axes.plot(found, [place] * len(found), "o", color=BLUE, markersize=4)
        axes.set_yticks(range(len(names)), [TITLES[name] for name in reversed(names)], fontsize=8)
        axes.set_xlabel("execution accuracy, %: a point a seed, a bar the mean's 95 % interval")

    return svg(draw)
