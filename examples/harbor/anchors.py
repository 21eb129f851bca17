"""SIMULATED anchors: comparisons with adjudicated labels that measure the judge.

Both answers have the same SQL, as a judge only ever sees pairs that no verifier could decide.
They differ in criterion R4 (one explanation states a wrong value, names a column that does not
exist, or says what was asked for where the query filters on something else) or, for a tie, in
nothing but their wording.
"""

from dataclasses import dataclass
from typing import Final, Literal

from consumers.calibration.splits import Split
from examples.harbor.answers import Style, explain, render
from examples.harbor.dice import dice, unit
from examples.harbor.faults import (
    Filters,
    invented_column,
    other_filter,
    sql_filters,
    unfaithful_value,
)
from examples.harbor.labelling import Labelled, label_twice
from examples.harbor.prompts import labelled_split
from examples.harbor.questions import Question, questions

AnchorSplit = Literal["calibration", "holdout"]
Fault = Literal["unfaithful_value", "invented_column", "glossed_over", "none"]

_FAULTS: Final[tuple[tuple[Fault, float], ...]] = (
    ("unfaithful_value", 0.38),
    ("invented_column", 0.66),
    ("glossed_over", 0.86),
    ("none", 1.0),
)


@dataclass(frozen=True, kw_only=True)
class Anchor:
    """A comparison of two answers to one question, with its simulated labels.

    `fault` is what was planted in the worse answer: known to the example, never to the judge. Of a
    `glossed_over` one the query is wrong in both answers, and only one of them says so.
    """

    question: Question
    a: str
    b: str
    fault: Fault
    faulty: Literal["A", "B"] | None
    labels: Labelled
    split: AnchorSplit

    @property
    def has_golden_query(self) -> bool:
        """Whether a verifier could check the answers; like most of production, some have none."""
        return self.fault != "glossed_over"


def anchors(split: AnchorSplit) -> tuple[Anchor, ...]:
    """All anchors of a split, one for each question of the anchors split of questions."""
    return tuple(
        anchor(question) for question in questions("anchors") if split_of(question) == split
    )


def split_of(question: Question) -> AnchorSplit:
    """A stable hash of the prompt decides what the gate reads and what only the veto reads."""
    return "holdout" if labelled_split(question.text) is Split.HOLDOUT else "calibration"


def anchor(question: Question) -> Anchor:
    """The anchor of a question; styles are drawn alike for both sides, so length tells nothing."""
    place = unit("fault", question.id)
    fault = next(name for name, end in _FAULTS if place < end)
    styles = dice("anchor styles", question.id)
    good, bad = (styles.choice(list(Style)) for _ in range(2))
    sql, true, untrue = _content(question, fault)
    better = render(sql, explain(question, true), good, "better")
    worse = render(sql, explain(question, untrue), bad, "worse")
    if better == worse:  # a tie of two equal texts teaches nothing: word one of them otherwise
        worse = render(sql, explain(question, true), Style.FRIENDLY, "reworded")
    worse_is_a = dice("sides", question.id).random() < 0.5
    a, b = (worse, better) if worse_is_a else (better, worse)
    faulty: Literal["A", "B"] | None = None
    if fault != "none":
        faulty = "A" if worse_is_a else "B"
    return Anchor(
        question=question,
        a=a,
        b=b,
        fault=fault,
        faulty=faulty,
        labels=label_twice(question, a, b),
        split=split_of(question),
    )


def _content(question: Question, fault: Fault) -> tuple[str, Filters, Filters]:
    """The query, the filters that it has, and those that the worse answer states."""
    if fault == "unfaithful_value":
        return question.sql, question.filters, unfaithful_value(question)
    if fault == "invented_column":
        return question.sql, question.filters, invented_column(question)
    if fault == "glossed_over":
        sql = other_filter(question.sql, dice("glossed over", question.id))
        return sql, sql_filters(sql), question.filters
    return question.sql, question.filters, question.filters
