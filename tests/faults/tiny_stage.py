"""A stage of this test suite, and a worker process that runs it on Kafka.

    python -m tests.faults.tiny_stage OPTIONS_JSON

What the stage does with an event stands in its candidates' text, so that a test scripts each
event: ``slow:S`` (that many seconds of work), ``poison``, ``transient``, ``fatal``; and, for as
long as the flag file exists, ``held`` (no answer), ``boom`` (a defect), ``down`` (no dependency).
"""

import asyncio
import logging
import sys
from collections.abc import Sequence
from pathlib import Path

from pydantic import BaseModel, Field

from infra.settings import Settings
from schemas.errors import DependencyDown, Fatal, Poison, Transient
from schemas.events import CandidateSet, Event, Verification
from schemas.ids import derived_id
from schemas.records import Outcome, VerifiedCandidate
from streams.runner.worker_options import WorkerOptions


class TinyOptions(BaseModel):
    """What the worker process is told."""

    settings: Settings
    worker: WorkerOptions = Field(default_factory=WorkerOptions)
    flag: Path | None = None


class TinyStage:
    """Verifies everything as passed, after doing what the event asks for."""

    name = "verify"
    config_hash = "tiny"

    def __init__(self, flag: Path | None = None) -> None:
        self._flag = flag
        self.closed = False

    async def __call__(self, event: CandidateSet) -> Sequence[Event]:
        for candidate in event.candidates:
            await self._obey(candidate.output)
        return [
            Verification(
                event_id=derived_id("Verification", self.name, [event.event_id], self.config_hash),
                occurred_at=event.occurred_at,
                workload_id=event.workload_id,
                config_hash=self.config_hash,
                source_ids=(event.event_id,),
                prompt_id=event.prompt_id,
                messages=event.messages,
                purpose=event.purpose,
                candidates=tuple(
                    VerifiedCandidate(candidate=c, outcome=Outcome.PASSED) for c in event.candidates
                ),
            )
        ]

    async def _obey(self, order: str) -> None:
        if order.startswith("slow:"):
            await asyncio.sleep(float(order.removeprefix("slow:")))
        elif order == "held":
            while self._flagged():
                await asyncio.sleep(0.05)
        elif order == "boom" and self._flagged():
            raise RuntimeError("boom")
        elif order == "fatal":
            raise Fatal("the licence of the tiny stage has run out; renew it")
        elif order == "poison":
            raise Poison("the tiny stage cannot read this")
        elif order == "transient":
            raise Transient("the tiny stage is tired")
        elif order == "down" and self._flagged():
            raise DependencyDown("the tiny judge does not answer", reason="unreachable")

    def _flagged(self) -> bool:
        return self._flag is not None and self._flag.exists()

    async def aclose(self) -> None:
        self.closed = True


def main(options_json: str) -> int:
    """Run the worker; returns its exit status."""
    from streams.runner.worker import run_worker

    logging.basicConfig(level=logging.INFO, format="%(levelname)s %(name)s %(message)s")
    options = TinyOptions.model_validate_json(options_json)
    return run_worker(options.settings, TinyStage(options.flag), options.worker)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
