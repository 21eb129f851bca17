"""SIMULATED anchors: comparisons with adjudicated labels that measure the judge.

Both answers have the golden SQL, as a judge only ever sees pairs that no verifier could decide.
They differ in criterion R4 (one explanation states a wrong value or names a column that does not
exist) or, for a tie, in nothing but their wording.
"""

from dataclasses import dataclass
from typing import Final, Literal

from consumers.calibration.splits import Split
from examples.harbor.answers import Style, explain, render
from examples.harbor.dice import dice, unit
from examples.harbor.faults import Filters, invented_column, unfaithful_value
from examples.harbor.labelling import Labelled, label_twice
from examples.harbor.prompts import labelled_split
from examples.harbor.questions import Question, questions

AnchorSplit = Literal["calibration", "holdout"]
Fault = Literal["unfaithful_value", "invented_column", "none"]

_FAULTS: Final[tuple[tuple[Fault, float], ...]] = (
    ("unfaithful_value", 0.48),
    ("invented_column", 0.86),
    ("none", 1.0),
)


@dataclass(frozen=True, kw_only=True)
class Anchor:
    """A comparison of two answers to one question, with its simulated labels.

    `fault` is what was planted in the worse answer: known to the example, never to the judge.
    """

    question: Question
    a: str
    b: str
    fault: Fault
    faulty: Literal["A", "B"] | None
    labels: Labelled
    split: AnchorSplit


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
    better = render(question.sql, explain(question), good, "better")
    worse = render(question.sql, explain(question, _stated(question, fault)), bad, "worse")
    if better == worse:  # a tie of two equal texts teaches nothing: word one of them otherwise
        worse = render(question.sql, explain(question), Style.FRIENDLY, "reworded")
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


def _stated(question: Question, fault: Fault) -> Filters:
    if fault == "unfaithful_value":
        return unfaithful_value(question)
    if fault == "invented_column":
        return invented_column(question)
    return question.filters
