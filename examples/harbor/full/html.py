"""The report of the whole story: one HTML file that needs nothing beside it."""

from pathlib import Path

from examples.harbor.demo.incoming import TEMPERATURE
from examples.harbor.full import plots
from examples.harbor.full.policies import FIRST_SEED, TITLES, Name
from examples.harbor.full.result import FullResult
from examples.harbor.full.targets import Target

_TEMPLATE = Path(__file__).with_name("report.html.j2")


def report(result: FullResult) -> str:
    """The page. Every text in it is escaped."""
    from jinja2 import Environment, StrictUndefined

    pages = Environment(
        autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    template = pages.from_string(_TEMPLATE.read_text(encoding="utf-8"))
    # round k's policy is compared after it was trained: those of round 2 stand in the last
    wins = [*(one.wins for one in result.rounds[1:]), result.last_wins]
    trials = [trial for one in result.rounds for trial in one.trials]
    gates = [
        (cell, gate)
        for cell in result.cells
        for gate in cell.gates
        if cell.seed == FIRST_SEED and cell.name in (Name.THUMBS, Name.RLAIF_1, Name.RLAIF_2)
    ]
    return template.render(
        result=result,
        titles=TITLES,
        temperature=TEMPERATURE,
        questions=max((one.n for one in result.policies.values()), default=0),
        best_of_4=Name.BEST_OF_4 in result.policies,
        rounds=list(zip(result.rounds, wins, strict=True)),
        trials=trials,
        gates=gates,
        gate_decisions=plots.gate_decisions(
            [
                *((trial.title, gate) for trial in trials for gate in trial.gates),
                *((TITLES[Name(cell.name)], gate) for cell, gate in gates),
            ]
        ),
        labels_per_pair=result.rounds[0].bought.labels_per_pair,
        machine_pairs=sum(one.bought.machine_pairs for one in result.rounds),
        seeds=plots.seeds(result),
        accuracy_against_length=plots.accuracy_against_length(result),
        margins=plots.margins(result),
        cost=plots.cost(result),
        percent=percent,
        share=share,
        target=of_target,
        number=number,
        dollars=dollars,
    )


def percent(value: float | None) -> str:
    """A share as people write it."""
    return "–" if value is None else f"{100 * value:.1f} %"


def share(value: float | None) -> str:
    """A share or a difference of shares, with its sign where it is below zero."""
    return percent(value).replace("-", "−")


def of_target(one: Target, value: float | None) -> str:
    """A value of a target: a share, or a number that is none."""
    return share(value) if one.is_share else number(value)


def number(value: float | None) -> str:
    """Three decimals."""
    return "–" if value is None else f"{value:.3f}"


def dollars(value: float) -> str:
    """US dollars and cents."""
    return f"${value:,.2f}"
