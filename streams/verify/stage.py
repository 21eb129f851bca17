"""verify: candidate sets into verifications."""

import asyncio
from collections.abc import Sequence
from pathlib import Path

from schemas.events import CandidateSet, Event, Verification
from schemas.ids import derived_id
from schemas.records import Expectation, VerifiedCandidate
from streams.discard import discard
from streams.verify.settings import VerifySettings
from streams.verify.verifier import Verifier

STAGE = "verify"


class VerifyStage:
    """CandidateSet -> Verification; a set without candidates is discarded as no_candidates."""

    name = STAGE

    def __init__(self, settings: VerifySettings, project_dir: Path) -> None:
        """Raises ConfigError where a database file is missing."""
        self._verifier = Verifier(settings, project_dir)
        self.config_hash: str = self._verifier.config_hash

    async def __call__(self, event: CandidateSet) -> Sequence[Event]:
        if not event.candidates:
            return [discard(event, STAGE, self.config_hash, ["no_candidates"])]
        # Models often give the same answer: it is checked once a set.
        outputs = list(dict.fromkeys(candidate.output for candidate in event.candidates))
        found = await asyncio.gather(
            *(
                self._verifier.verify_output(
                    output, event.expectations, messages=event.messages, context=event.context
                )
                for output in outputs
            )
        )
        verdicts = dict(zip(outputs, found, strict=True))
        verified = tuple(
            VerifiedCandidate(
                candidate=candidate,
                checks=verdicts[candidate.output].checks,
                outcome=verdicts[candidate.output].outcome,
            )
            for candidate in event.candidates
        )
        return [
            Verification(
                event_id=derived_id("Verification", STAGE, [event.event_id], self.config_hash),
                occurred_at=event.occurred_at,
                workload_id=event.workload_id,
                config_hash=self.config_hash,
                source_ids=(event.event_id,),
                prompt_id=event.prompt_id,
                messages=event.messages,
                expectations=event.expectations,
                context=event.context,
                slice=event.slice,
                purpose=event.purpose,
                candidates=verified,
            )
        ]

    def check_names(self, expectations: Sequence[Expectation]) -> frozenset[str]:
        """The checks of an answer to a prompt with these expectations."""
        return frozenset(check.name for check in self._verifier.checks(expectations))

    async def aclose(self) -> None:
        """End the sandbox."""
        await self._verifier.aclose()
