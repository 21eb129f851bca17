"""SIMULATED people, asked about fresh answers: they run the query, then read what it says."""

from collections.abc import Sequence
from datetime import UTC, datetime

from consumers.calibration.labellers import Labellers
from examples.harbor.anchors import split_of
from examples.harbor.answers import split_answer
from examples.harbor.labelling import label_twice
from examples.harbor.prompts import prompt_of
from examples.harbor.questions import Question, questions
from examples.harbor.traffic import labels_of
from schemas.events import Comparison, Label
from schemas.records import Outcome


def gate_reads() -> list[Question]:
    """The anchor questions of the calibration split; the holdout stays locked."""
    return [one for one in questions("anchors") if split_of(one) == "calibration"]


def simulated_labels(comparisons: Sequence[Comparison], now: datetime) -> list[Label]:
    """Two labels of each comparison of anchor questions, and an adjudication where they disagree.

    Each is marked as simulated. What the checks found by running a query in the sandbox is what
    these people see when they run it themselves; a slip is theirs.
    """
    asked: dict[str, Question] = {
        prompt_of(question.text): question for question in questions("anchors")
    }
    return [label for one in comparisons for label in _labels_of(one, asked[one.prompt_id], now)]


def _labels_of(one: Comparison, question: Question, now: datetime) -> tuple[Label, ...]:
    right = {
        split_answer(side.candidate.output)[0]
        for side in (one.a, one.b)
        if side.outcome is Outcome.PASSED
    }
    labelled = label_twice(
        question,
        one.a.candidate.output,
        one.b.candidate.output,
        is_right=lambda _, sql: sql in right,
    )
    return labels_of(one, labelled, one.event_id, occurred_at=now)


class SimulatedLabellers(Labellers):
    """Labellers who answer at once, as nobody does."""

    def label(self, comparisons: Sequence[Comparison]) -> None:
        """Publish the simulated labels of all of them."""
        self._log.publish(simulated_labels(comparisons, datetime.now(UTC)))
