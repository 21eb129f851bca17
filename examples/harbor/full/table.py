"""The whole story's figures as tables for a terminal."""

from collections.abc import Iterator

from rich.console import Console, RenderableType
from rich.table import Table

from examples.harbor.full.html import dollars, number, of_target, percent
from examples.harbor.full.policies import TITLES
from examples.harbor.full.result import FullResult


def show_full(result: FullResult, console: Console) -> None:
    """Print policies, rounds, targets and cost."""
    for part in _parts(result):
        console.print()
        console.print(part)


def _parts(result: FullResult) -> Iterator[RenderableType]:
    yield _rounds(result)
    for cell in result.cells:
        if cell.refusal:
            yield f"[red]{cell.name}, seed {cell.seed}, was refused:[/red] {cell.refusal}"
    yield _policies(result)
    yield _targets(result)
    bill = result.bill
    yield (
        f"labelling: {dollars(bill.people_usd)} by people alone, "
        f"{dollars(bill.ours_usd)} here (at {dollars(result.prices.label_usd)} "
        f"a label); a further pair {dollars(bill.per_pair_people_usd)} against "
        f"${bill.per_pair_machine_usd:.5f}"
    )


def _policies(result: FullResult) -> Table:
    table = Table(
        title="Harbor's locked benchmark (people are simulated)",
        caption=f"{len(result.seeds)} seeds; the interval is of the mean, over the questions",
    )
    for column in ("policy", "accuracy", "95 % interval", "median length", "training"):
        table.add_column(column, justify="left" if column == "policy" else "right")
    for name, one in result.policies.items():
        deviation = "" if one.deviation is None else f" ± {100 * one.deviation:.1f}"
        table.add_row(
            TITLES[name],
            f"{percent(one.mean)}{deviation}",
            f"{percent(one.low)} – {percent(one.high)}",
            f"{one.median_length:.0f}",
            f"{one.train_seconds:.0f} s",
        )
    return table


def _rounds(result: FullResult) -> Table:
    table = Table(title="Rounds: the judge against simulated people")
    for column in ("round", "pairs", "kappa", "anchors", "chosen but wrong", "judge", "people"):
        table.add_column(column, justify="right")
    wins = [*(one.wins for one in result.rounds[1:]), result.last_wins]
    for one, won in zip(result.rounds, wins, strict=True):
        judge = one.calibration
        table.add_row(
            str(one.round),
            str(sum(one.counts.values())),
            number(judge.kappa if judge else None),
            str(judge.n if judge else 0),
            percent(one.chosen_wrong.value),
            percent(won.judge if won else None),
            percent(won.human if won else None),
        )
    return table


def _targets(result: FullResult) -> Table:
    table = Table(title="What it was expected to show")
    for column in ("target", "wanted", "measured", "met"):
        table.add_column(column, justify="left" if column == "target" else "right")
    for one in result.targets:
        table.add_row(
            one.title,
            f"{'≤' if one.at_most else '≥'} {of_target(one, one.wanted)}",
            of_target(one, one.value),
            "[green]yes[/green]" if one.met else "[red]no[/red]",
        )
    return table
