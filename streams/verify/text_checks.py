"""Checks of an answer that need nothing but its text."""

from dataclasses import dataclass

from schemas.records import CheckStatus, ExpectationKind
from streams.verify.check import Finding, Subject


@dataclass(frozen=True, kw_only=True)
class AnswerPresent:
    """An answer must say something."""

    hard: bool = True
    name: str = "answer_present"
    version: str = "1"

    async def __call__(self, subject: Subject) -> Finding:
        if subject.output.strip():
            return Finding(status=CheckStatus.PASS)
        return Finding(status=CheckStatus.FAIL, evidence="the answer is empty")


@dataclass(frozen=True, kw_only=True)
class NoVerifier:
    """Stands for an expectation that nothing here can check, so that it never passes unseen."""

    kind: ExpectationKind
    hard: bool = True
    name: str = "no_verifier"
    version: str = "1"

    async def __call__(self, _: Subject) -> Finding:
        evidence = f"no verifier for expectations of kind {self.kind.value}"
        return Finding(status=CheckStatus.ERROR, evidence=evidence)
