"""An audit of Harbor's pairs by its simulated people, in topics in memory."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from itertools import chain
from typing import TypeVar

from cli.project import Project
from consumers.audit.job import audit_topics
from examples.harbor.anchors import anchors
from examples.harbor.labelling import label_twice
from examples.harbor.questions import Question, questions
from examples.harbor.traffic import labels, labels_of
from schemas.events import Comparison, Event, Judgment, Label, Messages, Preference
from schemas.records import (
    Candidate,
    LabelRole,
    Outcome,
    Purpose,
    VerifiedCandidate,
    VerifierWinner,
    Winner,
)

E = TypeVar("E", bound=Event)


@dataclass(frozen=True)
class MemoryLog:
    """Topics that nobody writes to any more."""

    held: Sequence[Event]

    def events(self, kind: type[E]) -> Iterator[E]:
        """Every event of the kind."""
        return (one for one in self.held if isinstance(one, kind))


def audited(rows: Sequence[Preference], project: Project) -> MemoryLog:
    """The rows with their judgments, the anchors' double labels, and what a simulated person, who
    slips now and then, says of each row that waits in the project's audit queue.
    """
    asked = {question.id: question for question in questions("train")}
    log = MemoryLog([*rows, *map(_judgment, rows)])
    queue = audit_topics(log, project.audit, project.filter.min_margin).waiting
    found = (_audit(one, asked[one.event_id]) for one in queue)
    return MemoryLog([*log.held, *_double_labels(rows[0].occurred_at), *found])


def _judgment(row: Preference) -> Judgment:
    (name,) = row.source_ids
    shared = row.model_dump(include={"occurred_at", "workload_id", "config_hash", "prompt_id"})
    compared = Comparison(
        **shared,
        event_id=name,
        source_ids=(row.chosen_id, row.rejected_id),
        messages=row.prompt,
        purpose=Purpose.PRODUCTION,
        a=_side(row.chosen_id, row.chosen),
        b=_side(row.rejected_id, row.rejected),
        verifier_winner=VerifierWinner.NONE,
        rubric_id="",
    )
    return Judgment(
        **shared,
        **row.model_dump(include={"rubric_version", "teacher_model", "judge_config_hash"}),
        event_id=name,
        source_ids=(name,),
        comparison=compared,
        winner=Winner.A,
    )


def _side(completion_id: str, answer: Messages) -> VerifiedCandidate:
    output = answer[-1].content
    candidate = Candidate(completion_id=completion_id, output=output, model="harbor-rendered")
    return VerifiedCandidate(candidate=candidate, outcome=Outcome.UNDECIDED)


@cache
def _double_labels(occurred_at: datetime) -> tuple[Label, ...]:
    found = (labels(row, occurred_at=occurred_at) for row in anchors("calibration"))
    return tuple(chain.from_iterable(found))


def _audit(one: Comparison, question: Question) -> Label:
    said = label_twice(question, one.a.candidate.output, one.b.candidate.output)
    first, *_ = labels_of(one, said, f"audit:{one.event_id}", occurred_at=one.occurred_at)
    return first.model_copy(update={"role": LabelRole.AUDIT})
