"""Valid events of every type for tests to start from, and strategies that vary them."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Annotated, Any

from hypothesis import strategies as st
from pydantic import AwareDatetime

from schemas.events import (
    EVENTS,
    CandidateSet,
    Comparison,
    Completion,
    Event,
    Judgment,
    Verification,
)
from schemas.records import (
    Candidate,
    Message,
    Origin,
    Outcome,
    Purpose,
    Record,
    VerifiedCandidate,
    VerifierWinner,
    Winner,
)

NOON = datetime(2026, 11, 1, 12, tzinfo=UTC)
QUESTION = (Message(role="user", content="How much did we sell?"),)


def completion(**changes: Any) -> Completion:
    """A production completion."""
    fields: dict[str, Any] = {
        "event_id": "completion-1",
        "occurred_at": NOON,
        "workload_id": "shop",
        "config_hash": "",
        "prompt_id": "prompt-1",
        "messages": QUESTION,
        "output": "We sold 12.",
        "model": "gpt",
        "origin": Origin.PRODUCTION,
    }
    return Completion(**(fields | changes))


def candidate(completion_id: str, output: str = "We sold 12.") -> Candidate:
    """A candidate with the given id and text."""
    return Candidate(completion_id=completion_id, output=output, model="gpt")


def verified(
    completion_id: str, outcome: Outcome = Outcome.PASSED, output: str | None = None
) -> VerifiedCandidate:
    """A verified candidate; its text differs from that of other ids unless given."""
    text = f"The answer of {completion_id}." if output is None else output
    return VerifiedCandidate(candidate=candidate(completion_id, text), outcome=outcome)


def candidate_set(*candidates: Candidate, **changes: Any) -> CandidateSet:
    """A candidate set for training."""
    fields: dict[str, Any] = {
        "event_id": "set-1",
        "occurred_at": NOON,
        "workload_id": "shop",
        "config_hash": "",
        "prompt_id": "prompt-1",
        "messages": QUESTION,
        "purpose": Purpose.PRODUCTION,
        "candidates": candidates,
    }
    return CandidateSet(**(fields | changes))


def verification(*candidates: VerifiedCandidate, **changes: Any) -> Verification:
    """A verification for training."""
    fields: dict[str, Any] = {
        "event_id": "verification-1",
        "occurred_at": NOON,
        "workload_id": "shop",
        "config_hash": "v",
        "source_ids": ("set-1",),
        "prompt_id": "prompt-1",
        "messages": QUESTION,
        "purpose": Purpose.PRODUCTION,
        "candidates": candidates,
    }
    return Verification(**(fields | changes))


def comparison(a: VerifiedCandidate, b: VerifiedCandidate, **changes: Any) -> Comparison:
    """A comparison that the verifier left open."""
    fields: dict[str, Any] = {
        "event_id": "comparison-1",
        "occurred_at": NOON,
        "workload_id": "shop",
        "config_hash": "p",
        "source_ids": ("verification-1",),
        "prompt_id": "prompt-1",
        "messages": QUESTION,
        "purpose": Purpose.PRODUCTION,
        "a": a,
        "b": b,
        "verifier_winner": VerifierWinner.NONE,
        "rubric_id": "shop",
    }
    return Comparison(**(fields | changes))


def judgment(judged: Comparison | None = None, **changes: Any) -> Judgment:
    """A clear verdict for A."""
    fields: dict[str, Any] = {
        "event_id": "judgment-1",
        "occurred_at": NOON,
        "workload_id": "shop",
        "config_hash": "j",
        "source_ids": ("comparison-1",),
        "prompt_id": "prompt-1",
        "comparison": judged or comparison(verified("a"), verified("b")),
        "winner": Winner.A,
        "margin": 2.0,
        "position_bias": 0.1,
        "agreement": 1.0,
        "rubric_version": "1",
        "teacher_model": "judge",
        "judge_config_hash": "jc",
    }
    return Judgment(**(fields | changes))


_MOMENTS = st.datetimes(
    min_value=datetime(1971, 1, 1), max_value=datetime(2200, 1, 1), timezones=st.just(UTC)
)
_TEXT = st.text(st.characters(codec="utf-8"), max_size=20)
_WIRE_INTEGERS = st.integers(-(2**63), 2**63 - 1)


def _of_record(record: type[Record]) -> st.SearchStrategy[Record]:
    """Every field drawn by its own type, those with defaults too."""
    drawn: dict[str, st.SearchStrategy[Any]] = {}
    for name, field in record.model_fields.items():
        annotation: Any = field.annotation
        if field.metadata:
            annotation = Annotated[annotation, *field.metadata]
        drawn[name] = st.from_type(annotation)
    return st.builds(record, **drawn)


def _records(record: type[Record]) -> Iterator[type[Record]]:
    yield record
    for derived in record.__subclasses__():
        yield from _records(derived)


def any_event() -> st.SearchStrategy[Event]:
    """Any legal event of any type."""
    st.register_type_strategy(str, _TEXT)
    st.register_type_strategy(int, _WIRE_INTEGERS)
    st.register_type_strategy(float, st.floats(allow_nan=False, allow_infinity=False))
    st.register_type_strategy(AwareDatetime, _MOMENTS)
    for record in _records(Record):
        st.register_type_strategy(record, _of_record)
    return st.sampled_from(sorted(EVENTS.values(), key=lambda e: e.__name__)).flatmap(st.from_type)
