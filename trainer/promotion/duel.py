"""Two policies' answers before the project's judge: through the judge stage, in this process."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from schemas.events import Comparison, Judgment
from schemas.ids import derived_id, unit_interval
from schemas.records import (
    Candidate,
    Origin,
    Purpose,
    VerifiedCandidate,
    VerifierWinner,
    Winner,
)
from streams.local import run_local
from streams.stage import Stage
from trainer.evaluate import Answered
from trainer.promotion.pair import Duel, Pair
from trainer.prompts import Prompt

STAGE = "duel"
_TIE = 0.5
# As a judge worker's.
_CONCURRENCY = 32


async def duels(
    prompts: Sequence[Prompt],
    answered: Sequence[Pair],
    judge: Stage[Any],
    rubric_id: str,
    at: datetime,
) -> tuple[Duel, ...]:
    """How each pair ended for the candidate, in the order of the prompts.

    The judge decides alone: what the verifiers found is not shown as a winner, as the gates hold
    the two against each other. Pairs without an answer, and those that it could not process (dead
    letters, format failures) have no score; equal texts are a tie without being asked. Raises as
    ``run_local``.
    """
    sides: dict[str, tuple[int, bool]] = {}
    comparisons: list[Comparison] = []
    found: dict[int, float] = {}
    for index, (prompt, pair) in enumerate(zip(prompts, answered, strict=True)):
        if not pair.compares:
            continue
        if pair.candidate.output.strip() == pair.reference.output.strip():
            found[index] = _TIE
            continue
        comparison, candidate_is_a = _comparison(prompt, pair, rubric_id, at)
        sides[comparison.event_id] = index, candidate_is_a
        comparisons.append(comparison)
    run = await run_local([judge], comparisons, concurrency=_CONCURRENCY)
    for event in run.outputs.get("judgments", []):
        if isinstance(event, Judgment) and event.winner is not Winner.INVALID:
            index, candidate_is_a = sides[event.comparison.event_id]
            found[index] = score(event.winner, candidate_is_a=candidate_is_a)
    return tuple(
        Duel(slice=pair.candidate.slice, score=found.get(index))
        for index, pair in enumerate(answered)
    )


def score(winner: Winner, *, candidate_is_a: bool) -> float:
    """1 where the candidate won, 0 where it lost, one half for a tie or a conflict."""
    if winner not in (Winner.A, Winner.B):
        return _TIE
    return float((winner is Winner.A) is candidate_is_a)


def _comparison(
    prompt: Prompt, pair: Pair, rubric_id: str, at: datetime
) -> tuple[Comparison, bool]:
    """The two answers in a seeded order, and whether the candidate is A. It is never published."""
    texts = sorted((pair.candidate.output, pair.reference.output))
    candidate_is_a = (unit_interval(STAGE, prompt.prompt_id, *texts) < 0.5) is (
        texts[0] == pair.candidate.output
    )
    candidate = _verified("candidate", prompt.prompt_id, pair.candidate)
    reference = _verified("reference", prompt.prompt_id, pair.reference)
    a, b = (candidate, reference) if candidate_is_a else (reference, candidate)
    comparison = Comparison(
        **dict(prompt),
        event_id=derived_id("Comparison", STAGE, [prompt.prompt_id, *texts], rubric_id),
        occurred_at=at,
        config_hash="",
        purpose=Purpose.CANARY,
        a=a,
        b=b,
        verifier_winner=VerifierWinner.NONE,
        rubric_id=rubric_id,
    )
    return comparison, candidate_is_a


def _verified(side: str, prompt_id: str, answer: Answered) -> VerifiedCandidate:
    return VerifiedCandidate(
        candidate=Candidate(
            completion_id=derived_id("Completion", STAGE, [prompt_id, side], ""),
            output=answer.output,
            # Blind: neither the judge nor a log learns from the model's name which one is new.
            model="policy",
            origin=Origin.SAMPLE,
        ),
        checks=answer.checks,
        outcome=answer.outcome,
    )
