"""pair: verified candidate sets into comparisons. Pure decisions, one thin stage."""

from collections.abc import Sequence
from itertools import combinations

from pydantic import Field
from rapidfuzz.distance import Indel

from schemas.events import Comparison, Event, Verification
from schemas.ids import config_hash, derived_id, unit_interval
from schemas.records import Candidate, Outcome, Record, VerifiedCandidate, VerifierWinner
from streams.discard import discard

STAGE = "pair"
# Change it with any change of the rules below, so that the events' config_hash tells them apart.
RULES_VERSION = "2"


class PairSettings(Record):
    """The ``pair`` section of pipeline.yaml."""

    max_pairs_per_prompt: int = Field(default=3, ge=1)
    rubric_id: str = "default"
    carry_set: bool = False
    """Each comparison carries the other candidates that did not fail, for ``judge.mode: listwise``,
    which ranks them all."""


Pair = tuple[VerifiedCandidate, VerifiedCandidate]


def comparable_pairs(candidates: Sequence[VerifiedCandidate]) -> tuple[list[Pair], list[Pair]]:
    """The pairs that may be compared: (verifier-decided, for the judge).

    A FAILED candidate can only ever be the rejected one, and only where the other one PASSED:
    an UNDECIDED answer is not known to be better than a failed one. The verifier's winner stands
    first in each decided pair. Equal texts are never compared.
    """
    decided: list[Pair] = []
    open_: list[Pair] = []
    for one, other in combinations(candidates, 2):
        if one.candidate.output.strip() == other.candidate.output.strip():
            continue
        outcomes = {one.outcome, other.outcome}
        if outcomes == {Outcome.PASSED, Outcome.FAILED}:
            decided.append((one, other) if one.outcome is Outcome.PASSED else (other, one))
        elif Outcome.FAILED not in outcomes:
            open_.append((one, other))
    return decided, open_


def difference(pair: Pair) -> float:
    """How different the two texts are, from 0 (equal) to 1 (nothing in common).

    The share of all their words that is not in their longest common subsequence.
    """
    first, second = (side.candidate.output.split() for side in pair)
    return Indel.normalized_distance(first, second)


def choose_pairs(candidates: Sequence[VerifiedCandidate], max_pairs: int) -> list[Pair]:
    """At most ``max_pairs``: verifier-decided first, then the most different; ties by position."""
    decided, open_ = comparable_pairs(candidates)
    by_difference = sorted(decided, key=difference, reverse=True)
    by_difference += sorted(open_, key=difference, reverse=True)
    return by_difference[:max_pairs]


def _others(
    candidates: Sequence[VerifiedCandidate], pair_ids: Sequence[str]
) -> tuple[Candidate, ...]:
    """Those beside the pair that did not fail, equal texts once."""
    texts = {
        c.candidate.output.strip() for c in candidates if c.candidate.completion_id in pair_ids
    }
    others = []
    for one in candidates:
        if one.outcome is not Outcome.FAILED and one.candidate.output.strip() not in texts:
            texts.add(one.candidate.output.strip())
            others.append(one.candidate)
    return tuple(others)


class PairStage:
    """Verification -> Comparisons, and Discards of the candidates in none of them."""

    name = STAGE

    def __init__(self, settings: PairSettings) -> None:
        self._settings = settings
        self.config_hash = config_hash(settings, STAGE, RULES_VERSION)

    async def __call__(self, event: Verification) -> Sequence[Event]:
        pairs = choose_pairs(event.candidates, self._settings.max_pairs_per_prompt)
        comparisons = [self._comparison(event, pair, n) for n, pair in enumerate(pairs)]
        paired = {side.candidate.completion_id for pair in pairs for side in pair}
        left_over = [
            c.candidate.completion_id
            for c in event.candidates
            if c.candidate.completion_id not in paired
        ]
        if not left_over and pairs:
            return comparisons
        survivors = any(c.outcome is not Outcome.FAILED for c in event.candidates)
        reason = "not_paired" if survivors else "all_failed"
        rest = discard(
            event,
            STAGE,
            self.config_hash,
            [reason],
            numbers={"candidates": len(event.candidates), "pairs": len(pairs)},
            subject_ids=left_over,
        )
        return [*comparisons, rest]

    def _comparison(self, event: Verification, pair: Pair, ordinal: int) -> Comparison:
        decided = pair[0].outcome is not pair[1].outcome and Outcome.FAILED in (
            pair[0].outcome,
            pair[1].outcome,
        )
        ids = [side.candidate.completion_id for side in pair]
        # Seeded by content, so that neither side nor sampler position gives the winner away.
        swap = unit_interval(event.prompt_id, *sorted(ids)) < 0.5
        if sorted(ids) != ids:
            swap = not swap
        a, b = (pair[1], pair[0]) if swap else pair
        others = _others(event.candidates, ids) if self._settings.carry_set else ()
        winner = VerifierWinner.NONE
        if decided:
            winner = VerifierWinner.A if a.outcome is Outcome.PASSED else VerifierWinner.B
        return Comparison(
            event_id=derived_id("Comparison", STAGE, [event.event_id], self.config_hash, ordinal),
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
            a=a,
            b=b,
            verifier_winner=winner,
            rubric_id=self._settings.rubric_id,
            others=others,
        )

    async def aclose(self) -> None:
        """Nothing is held."""
