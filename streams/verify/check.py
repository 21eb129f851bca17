"""What a check is: one question about one answer, and what is known when it is asked."""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from schemas.errors import DependencyDown, Fatal
from schemas.events import MAX_EVIDENCE_BYTES
from schemas.records import Check, CheckStatus, Expectation, Message, Outcome, Passage
from streams.verify.databases import Readable
from streams.verify.result_match import Match
from streams.verify.sandbox.result import QueryResult


@dataclass(frozen=True, kw_only=True)
class Subject:
    """One answer with the prompt it answers, and what the checks so far have made of it."""

    output: str
    messages: tuple[Message, ...] = ()
    context: tuple[Passage, ...] = ()
    expectations: tuple[Expectation, ...] = ()
    json_text: str | None = None
    sql: str | None = None
    readable: Readable | None = None
    result: QueryResult | None = None
    matched: Match | None = None
    """What the comparison with gold's result found, of the gold asked last."""


@dataclass(frozen=True, kw_only=True)
class Finding:
    """What a check found; ``subject`` carries more for the checks after it."""

    status: CheckStatus
    evidence: str = ""
    score: float | None = None
    subject: Subject | None = None


class CandidateCheck(Protocol):
    """A check. ``hard``: its FAIL fails the answer, and what comes after it is skipped.

    Calling it raises nothing but what stops the worker: what it could not find out is ERROR, and
    whatever else it raises is made one.
    """

    @property
    def name(self) -> str: ...
    @property
    def version(self) -> str: ...
    @property
    def hard(self) -> bool: ...
    async def __call__(self, subject: Subject, /) -> Finding: ...


async def run_checks(checks: Sequence[CandidateCheck], subject: Subject) -> tuple[Check, ...]:
    """Every check in its order; after a hard FAIL or ERROR the rest is SKIP.

    Raises only Fatal and DependencyDown, which are about the worker and no answer.
    """
    done: list[Check] = []
    stopped = False
    for check in checks:
        started = time.perf_counter()
        finding = Finding(status=CheckStatus.SKIP) if stopped else await _ask(check, subject)
        subject = finding.subject or subject
        stopped |= check.hard and finding.status in (CheckStatus.FAIL, CheckStatus.ERROR)
        done.append(
            Check(
                name=check.name,
                version=check.version,
                hard=check.hard,
                status=finding.status,
                score=finding.score,
                evidence=clip(finding.evidence),
                duration_ms=(time.perf_counter() - started) * 1000,
            )
        )
    return tuple(done)


async def _ask(check: CandidateCheck, subject: Subject) -> Finding:
    try:
        return await check(subject)
    except (Fatal, DependencyDown):
        raise
    except Exception as error:  # an answer that trips a check is left undecided; others go on
        return Finding(status=CheckStatus.ERROR, evidence=raised(check.name, error))


def raised(name: str, error: Exception) -> str:
    """The evidence of a check that raised: its name, and the exception's class and message."""
    said = f": {error}" if str(error) else ""
    return f"the check {name} raised {type(error).__name__}{said}"


def outcome_of(checks: Sequence[Check]) -> Outcome:
    """FAILED on any hard FAIL; UNDECIDED on any hard ERROR or INCONCLUSIVE; else PASSED."""
    found = {check.status for check in checks if check.hard}
    if CheckStatus.FAIL in found:
        return Outcome.FAILED
    if found & {CheckStatus.ERROR, CheckStatus.INCONCLUSIVE}:
        return Outcome.UNDECIDED
    return Outcome.PASSED


def clip(text: str) -> str:
    """The text as valid UTF-8 of at most the size that evidence may have."""
    raw = text.encode("utf-8", "backslashreplace")
    if len(raw) <= MAX_EVIDENCE_BYTES:
        return raw.decode("utf-8")
    return raw[: MAX_EVIDENCE_BYTES - 3].decode("utf-8", "ignore") + "…"
