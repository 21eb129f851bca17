"""Harbor's SIMULATED traffic, thumbs and labels as the events that the pipeline reads."""

from collections.abc import Mapping
from datetime import datetime
from typing import Final

from consumers.calibration.content import comparison_sha256
from examples.harbor.anchors import Anchor
from examples.harbor.core import CoreRow
from examples.harbor.labelling import ADJUDICATOR, ANNOTATORS, Labelled
from examples.harbor.people import Thumb
from examples.harbor.prompts import WORKLOAD, messages, prompt_of
from examples.harbor.questions import Question
from schemas.events import CandidateSet, Comparison, Completion, Feedback, Label
from schemas.ids import captured_id, text_sha256
from schemas.records import (
    Candidate,
    Expectation,
    ExpectationKind,
    FeedbackKind,
    HumanWinner,
    LabelRole,
    Order,
    Origin,
    Outcome,
    Purpose,
    VerifiedCandidate,
    VerifierWinner,
)

SIMULATED: Final = "simulated"  # the tag of every event that a simulated person is behind


def completion(
    question: Question,
    output: str,
    *,
    model: str,
    seed: int,
    temperature: float,
    occurred_at: datetime,
    origin: Origin = Origin.PRODUCTION,
    sql_params: Mapping[str, str] | None = None,
) -> Completion:
    """An answer of the copilot. `sql_params` tell the SQL check where to run the golden query."""
    external = f"{question.id}:{model}:{temperature}:{seed}"
    return Completion(
        event_id=captured_id(WORKLOAD, external),
        occurred_at=occurred_at,
        workload_id=WORKLOAD,
        config_hash="",
        prompt_id=prompt_of(question.text),
        messages=messages(question.text),
        output=output,
        model=model,
        temperature=temperature,
        seed=seed,
        origin=origin,
        tags=(SIMULATED,),
        slice=question.slice,
        expectations=(_golden(question, sql_params),),
    )


def feedback(answered: Completion, thumb: Thumb, user: str) -> Feedback:
    """A simulated user's thumb on a completion."""
    return Feedback(
        event_id=captured_id(WORKLOAD, f"thumb:{answered.event_id}:{user}"),
        occurred_at=answered.occurred_at,
        workload_id=WORKLOAD,
        config_hash="",
        source_ids=(answered.event_id,),
        completion_id=answered.event_id,
        prompt_id=answered.prompt_id,
        kind=FeedbackKind.THUMB,
        value=1.0 if thumb == "UP" else -1.0,
        comment=SIMULATED,
        user_hash=text_sha256(user),
    )


def candidate_set(
    row: Anchor | CoreRow,
    *,
    occurred_at: datetime,
    sql_params: Mapping[str, str] | None = None,
) -> CandidateSet:
    """The two answers that people compared, on their way through the stages (never trained on)."""
    return CandidateSet(
        event_id=captured_id(WORKLOAD, f"labelled:{row.question.id}"),
        occurred_at=occurred_at,
        workload_id=WORKLOAD,
        config_hash="",
        prompt_id=prompt_of(row.question.text),
        messages=messages(row.question.text),
        expectations=(_golden(row.question, sql_params),) if row.has_golden_query else (),
        slice=row.question.slice,
        purpose=Purpose.ANCHOR,
        candidates=_candidates(row),
    )


def labels(row: Anchor | CoreRow, *, occurred_at: datetime) -> tuple[Label, ...]:
    """The simulated labels of a comparison, and the adjudication where the two disagree.

    They name the two texts by their hash, so they hold for the comparison that the pair stage
    makes of them, whichever side it puts them on.
    """
    source = candidate_set(row, occurred_at=occurred_at)
    a, b = (
        VerifiedCandidate(candidate=each, outcome=Outcome.UNDECIDED) for each in source.candidates
    )
    compared = Comparison(
        **source.model_dump(include={"occurred_at", "workload_id", "prompt_id", "purpose"}),
        event_id=captured_id(WORKLOAD, f"comparison:{row.question.id}"),
        config_hash="",
        source_ids=(source.event_id,),
        messages=source.messages,
        a=a,
        b=b,
        verifier_winner=VerifierWinner.NONE,
        rubric_id="",
    )
    return labels_of(compared, row.labels, row.question.id, occurred_at=occurred_at)


def labels_of(
    compared: Comparison, labelled: Labelled, key: str, *, occurred_at: datetime
) -> tuple[Label, ...]:
    """What two simulated annotators said of a comparison, and the adjudicator where they disagree.

    ``key`` is what the labels' ids are made of.
    """
    given = [
        (ANNOTATORS[0], LabelRole.LABEL, labelled.first),
        (ANNOTATORS[1], LabelRole.LABEL, labelled.second),
    ]
    if labelled.adjudication is not None:
        given.append((ADJUDICATOR, LabelRole.ADJUDICATION, labelled.adjudication))
    return tuple(
        Label(
            event_id=captured_id(WORKLOAD, f"label:{key}:{annotator}"),
            occurred_at=occurred_at,
            workload_id=WORKLOAD,
            config_hash="",
            source_ids=compared.source_ids,
            comparison_id=compared.event_id,
            prompt_id=compared.prompt_id,
            content_sha256=comparison_sha256(compared),
            annotator=annotator,
            role=role,
            winner=HumanWinner(winner),
            comment=SIMULATED,
            order=Order.AB,
        )
        for annotator, role, winner in given
    )


def _candidates(row: Anchor | CoreRow) -> tuple[Candidate, ...]:
    return tuple(
        Candidate(
            completion_id=captured_id(WORKLOAD, f"labelled:{row.question.id}:{side}"),
            output=text,
            model="harbor-rendered",
            tags=(SIMULATED,),
        )
        for side, text in (("a", row.a), ("b", row.b))
    )


def _golden(question: Question, params: Mapping[str, str] | None) -> Expectation:
    return Expectation(
        kind=ExpectationKind.GOLDEN_SQL, spec=question.sql, params=dict(params or {})
    )
