"""Old and new verdicts as tables, for `rubric diff` and `rejudge`."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.console import Console

    from consumers.replay_report import Agreement, ReplayReport, Usage


def show_replay(console: "Console", found: "ReplayReport", old: str, new: str) -> None:
    """What flipped by slice, then both judges side by side."""
    from rich.box import SIMPLE_HEAD
    from rich.table import Table

    flips = Table(
        "slice",
        box=SIMPLE_HEAD,
        title=f"{found.n} comparisons, {len(found.flips)} verdicts changed",
    )
    for column in ("n", "same", "reversed", "winner lost", "winner gained", "other"):
        flips.add_column(column, justify="right")
    for one in found.slices:
        numbers = (one.n, one.same, one.reversed, one.lost, one.gained, one.other)
        flips.add_row(one.slice, *map(str, numbers))
    console.print(flips)
    sides = Table(box=SIMPLE_HEAD, title="Side by side", pad_edge=False, collapse_padding=True)
    sides.add_column("rubric", no_wrap=True)
    for column in (
        "calls",
        "tokens in",
        "tokens out",
        "cost",
        "anchors",
        "right",
        "kappa",
        "cover",
    ):
        sides.add_column(column, justify="right")
    sides.add_row(old, *_usage(found.old_usage), *_agreement(found.old_agreement))
    sides.add_row(new, *_usage(found.new_usage), *_agreement(found.new_agreement))
    console.print(sides)


def _usage(usage: "Usage") -> tuple[str, ...]:
    cost = "–" if usage.cost_usd is None else f"${usage.cost_usd:.4f}"
    tokens = (usage.input_tokens, usage.output_tokens)
    return (str(usage.calls), *("–" if n is None else str(n) for n in tokens), cost)


def _agreement(found: "Agreement") -> tuple[str, ...]:
    share, kappa, cover = (
        "–" if number is None else f"{number:.3f}"
        for number in (found.accuracy.share, found.kappa, found.coverage)
    )
    return str(found.accuracy.n), share, kappa, cover
