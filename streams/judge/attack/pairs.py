"""Pairs with a known better answer, as comparisons that can be attacked.

{"prompt": "How many refunds?", "better": "12 refunds.", "worse": "13 refunds."}
"""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from pydantic import Field, ValidationError

from schemas.errors import ConfigError
from schemas.events import Comparison
from schemas.ids import text_sha256, unit_interval
from schemas.records import (
    Candidate,
    Message,
    Outcome,
    Purpose,
    Record,
    VerifiedCandidate,
    VerifierWinner,
    Winner,
)

# The pairs of a file have no time of their own.
_WHEN = datetime(2026, 1, 1, tzinfo=UTC)


class PairRow(Record):
    """One line of the file."""

    prompt: str = Field(min_length=1)
    better: str = Field(min_length=1)
    worse: str = Field(min_length=1)


def read_pairs(path: Path, rubric_id: str) -> list[tuple[Comparison, Winner]]:
    """Every pair with its better side, sides drawn by hash of the texts.

    Raises ``ConfigError`` with file and line where a line is no pair, or there is none.
    """
    try:
        lines = path.read_bytes().split(b"\n")
    except OSError as error:
        raise ConfigError(f"{path} cannot be read ({error.strerror}); name a file") from None
    found = list(_pairs(path, lines, rubric_id))
    if not found:
        raise ConfigError(f"{path} holds no pair; a line has prompt, better and worse")
    return found


def _pairs(path: Path, lines: list[bytes], rubric_id: str) -> Iterator[tuple[Comparison, Winner]]:
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            row = PairRow.model_validate_json(line)
        except ValidationError as error:
            wrong = error.errors(include_url=False)[0]
            place = ".".join(map(str, wrong["loc"])) or "the line"
            raise ConfigError(f"{path}, line {number}: {place}: {wrong['msg']}") from None
        yield comparison(row, rubric_id)


def comparison(row: PairRow, rubric_id: str) -> tuple[Comparison, Winner]:
    """The pair as the judge gets it, and which side is better."""
    name = text_sha256("\0".join((row.prompt, row.better, row.worse)))[:24]
    better = Winner.A if unit_interval("attacked pair", name) < 0.5 else Winner.B
    texts = (row.better, row.worse) if better is Winner.A else (row.worse, row.better)
    a, b = (
        VerifiedCandidate(
            candidate=Candidate(completion_id=f"{name}-{side}", output=text, model=""),
            outcome=Outcome.UNDECIDED,
        )
        for side, text in zip("ab", texts, strict=True)
    )
    event = Comparison(
        event_id=name,
        occurred_at=_WHEN,
        workload_id="attack",
        config_hash="",
        prompt_id=name,
        messages=(Message(role="user", content=row.prompt),),
        purpose=Purpose.GOLDEN,
        a=a,
        b=b,
        verifier_winner=VerifierWinner.NONE,
        rubric_id=rubric_id,
    )
    return event, better
