"""SIMULATED double labelling: two annotators label, a third decides where they disagree."""

from dataclasses import dataclass

from examples.harbor.people import IsRight, Winner, golden_text, simulated_annotation
from examples.harbor.questions import Question

ANNOTATORS = ("simulated-annotator-1", "simulated-annotator-2")
ADJUDICATOR = "simulated-adjudicator"


@dataclass(frozen=True, kw_only=True)
class Labelled:
    """Both labels and, where they differ, the adjudicator's, which then is the winner."""

    first: Winner
    second: Winner
    adjudication: Winner | None

    @property
    def winner(self) -> Winner:
        return self.first if self.adjudication is None else self.adjudication


def label_twice(
    question: Question,
    a: str,
    b: str,
    *,
    is_right: IsRight = golden_text,
    prefers_short: bool = False,
) -> Labelled:
    """Two simulated labels of a comparison, and a third where they disagree."""
    first, second, third = (
        simulated_annotation(
            question, a, b, annotator, is_right=is_right, prefers_short=prefers_short
        )
        for annotator in (*ANNOTATORS, ADJUDICATOR)
    )
    return Labelled(first=first, second=second, adjudication=None if first == second else third)
