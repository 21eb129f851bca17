"""Two given texts as a comparison: for measuring a judge, never for training."""

from datetime import UTC, datetime

from schemas.events import Comparison
from schemas.records import (
    Candidate,
    Message,
    Outcome,
    Purpose,
    VerifiedCandidate,
    VerifierWinner,
)

# Texts of a file have no time of their own.
_WHEN = datetime(2026, 1, 1, tzinfo=UTC)


def given_pair(
    name: str, prompt: str, a: str, b: str, *, rubric_id: str, workload: str
) -> Comparison:
    """A golden comparison that no verifier decided; ``name`` becomes its id and its prompt's."""
    first, second = (
        VerifiedCandidate(
            candidate=Candidate(completion_id=f"{name}-{side}", output=text, model=""),
            outcome=Outcome.UNDECIDED,
        )
        for side, text in (("a", a), ("b", b))
    )
    return Comparison(
        event_id=name,
        occurred_at=_WHEN,
        workload_id=workload,
        config_hash="",
        prompt_id=name,
        messages=(Message(role="user", content=prompt),),
        purpose=Purpose.GOLDEN,
        a=first,
        b=second,
        verifier_winner=VerifierWinner.NONE,
        rubric_id=rubric_id,
    )
