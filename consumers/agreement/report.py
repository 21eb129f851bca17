"""Everything that a file of labels says of a judge: overall, by slice, and beside the people."""

from collections.abc import Callable, Iterator, Sequence
from itertools import combinations
from statistics import fmean

from pydantic import Field

from consumers.agreement.alternative import (
    LEAST_ITEMS,
    LEAST_PEOPLE,
    AlternativeAnnotator,
    alternative_annotator,
)
from consumers.agreement.measure import Agreement, Weights, measure
from consumers.agreement.rows import AgreementRow, AgreementRows
from consumers.agreement.win_rates import Battle, WinRates, win_rates
from schemas.interval import CONFIDENCE
from schemas.records import Record

UNPARSED = "(not parsed)"
"""The class of verdicts that could not be parsed, where people use more than two labels."""

FEW_ITEMS = 30
_NO_SLICE = "(none)"


class Ceiling(Record):
    """How well people agree with each other: no judge can be asked for more.

    ``kappa`` is the mean over the pairs of people that have one.
    """

    kappa: float | None
    observed: float | None
    pairs: dict[str, Agreement]


class AgreementReport(Agreement):
    """Agreement with the human label of each item, parse failures counted against the judge.

    in = n + ``unlabelled`` (nobody labelled the item, or the vote is tied) + ``repeated`` lines.
    """

    unlabelled: int = Field(ge=0)
    repeated: int = Field(ge=0)
    parse_failures: int = Field(ge=0)
    slices: dict[str, Agreement] = Field(default_factory=dict)
    ceiling: Ceiling | None = None
    slice_ceilings: dict[str, Ceiling] = Field(default_factory=dict)
    alternative_annotator: AlternativeAnnotator | None = None
    win_rates: WinRates | None = None
    notes: tuple[str, ...] = ()
    """What was not measured, and why, in words."""


def report(
    found: AgreementRows,
    *,
    confidence: float = CONFIDENCE,
    order: Sequence[str] = (),
    weights: Weights | None = None,
    epsilon: float = 0.1,
) -> AgreementReport:
    """The whole report. Raises ValueError where ``order`` lacks a class that ``weights`` need."""
    rows = [row for row in found.rows if row.human is not None]
    unparsed = _unparsed([row.human for row in rows if row.human is not None])

    def of(some: Sequence[AgreementRow]) -> Agreement:
        ratings = [(row.human or "", row.judge or unparsed(row.human or "")) for row in some]
        clusters = [_cluster(row) for row in some]
        return measure(ratings, clusters, confidence=confidence, order=order, weights=weights)

    slices = sorted({row.slice for row in rows if row.slice is not None})
    named = {name: [row for row in rows if row.slice == name] for name in slices}
    if named and (rest := [row for row in rows if row.slice is None]):
        named[_NO_SLICE] = rest
    ceilings = {name: ceiling(some, confidence) for name, some in named.items()}
    whole, stand_in = of(rows), alternative_annotator(found.rows, epsilon=epsilon)
    people = {column for row in found.rows for column in row.humans}
    return AgreementReport(
        **whole.model_dump(),
        unlabelled=len(found.rows) - len(rows),
        repeated=found.repeated,
        parse_failures=sum(row.judge is None for row in rows),
        slices={name: of(some) for name, some in named.items()},
        ceiling=ceiling(found.rows, confidence),
        slice_ceilings={name: one for name, one in ceilings.items() if one is not None},
        alternative_annotator=stand_in,
        win_rates=_win_rates(rows),
        notes=tuple(_notes(whole, len(named), len(people), stand_in)),
    )


def _notes(
    whole: Agreement, slices: int, people: int, stand_in: AlternativeAnnotator | None
) -> Iterator[str]:
    if whole.undefined is not None:
        yield f"kappa is undefined: {whole.undefined}"
    elif whole.n < FEW_ITEMS:
        yield f"{whole.n} items are few: the interval holds, but it hardly narrows anything down"
    if not slices:
        yield "no slices: no row names one"
    if people < 2:
        yield "no ceiling: people are one column; give human_1, human_2, …"
    elif stand_in is None:
        yield (
            f"no alternative annotator test: it needs {LEAST_PEOPLE} people who each share "
            f"{LEAST_ITEMS} items with others"
        )


def _win_rates(rows: Sequence[AgreementRow]) -> WinRates | None:
    """Of the rows that name their models, what was parsed; None where none does."""
    battles = [
        Battle(model_a=row.models[0], model_b=row.models[1], human=row.human, judge=row.judge)
        for row in rows
        if row.models is not None and row.human is not None and row.judge is not None
    ]
    return win_rates(battles) if battles else None


def ceiling(rows: Sequence[AgreementRow], confidence: float = CONFIDENCE) -> Ceiling | None:
    """Every pair of people on the items that both labelled; None for fewer than two people."""
    columns = sorted({column for row in rows for column in row.humans})
    pairs = {}
    for one, other in combinations(columns, 2):
        both = [row for row in rows if one in row.humans and other in row.humans]
        if both:
            ratings = [(row.humans[one], row.humans[other]) for row in both]
            clusters = [_cluster(row) for row in both]
            pairs[f"{one}, {other}"] = measure(ratings, clusters, confidence=confidence)
    if not pairs:
        return None
    kappas = [pair.kappa for pair in pairs.values() if pair.kappa is not None]
    observed = [pair.observed for pair in pairs.values() if pair.observed is not None]
    return Ceiling(kappa=fmean(kappas) if kappas else None, observed=fmean(observed), pairs=pairs)


def _unparsed(humans: Sequence[str]) -> Callable[[str], str]:
    """What a verdict that could not be parsed counts as: never the human label.

    With two labels it is the opposite of the human one, so that failing to answer can never look
    better than answering wrongly; with more it is a class of its own.
    """
    labels = set(humans)
    if len(labels) == 2:
        return lambda human: next(iter(labels - {human}))
    return lambda _: UNPARSED


def _cluster(row: AgreementRow) -> str:
    # an item without a cluster is one of its own, and may not meet one that is named alike
    return f"item {row.item}" if row.cluster is None else f"cluster {row.cluster}"
