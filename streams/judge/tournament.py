"""The best of several answers by the judge that labels: every pair of them, in both orders."""

import asyncio
from collections.abc import Iterable, Sequence
from itertools import chain

from schemas.events import CandidateSet, Comparison, Judgment, Verification
from schemas.records import Purpose, Record, Winner
from streams.judge.stage import JudgeStage
from streams.pair import PairSettings, PairStage
from streams.verify.stage import VerifyStage


class Choice(Record):
    """``index`` is the best candidate's in its set; ``points`` are those of each candidate.

    ``judgments`` are all that were given; ``undecided`` counts those without a winner.
    """

    index: int
    points: tuple[float, ...]
    judgments: tuple[Judgment, ...] = ()
    undecided: int = 0


class Tournament:
    """Chooses as labelling does: verify, pair, judge; with every pair, so each meets each.

    What an answer is expected to be is not looked at, unless ``expecting``: it would not be known
    where answers are served. Costs at most n(n − 1)/2 comparisons. Owns no stage.
    """

    def __init__(
        self, verify: VerifyStage, judge: JudgeStage, rubric_id: str, *, expecting: bool = False
    ) -> None:
        self._verify = verify
        self._judge = judge
        self._rubric_id = rubric_id
        self._expecting = expecting

    async def choose(self, asked: CandidateSet) -> Choice:
        """The best candidate of a set; raises what the stages raise."""
        known = asked.expectations if self._expecting else ()
        seen = asked.model_copy(update={"expectations": known, "purpose": Purpose.CANARY})
        made = await self._verify(seen)
        (verified,) = (event for event in made if isinstance(event, Verification))
        n = len(asked.candidates)
        pairs = PairSettings(max_pairs_per_prompt=max(1, n * n), rubric_id=self._rubric_id)
        met = await PairStage(pairs)(verified)
        calls = [self._judge(event) for event in met if isinstance(event, Comparison)]
        found = chain.from_iterable(await asyncio.gather(*calls))
        judgments = tuple(event for event in found if isinstance(event, Judgment))
        ids = [candidate.completion_id for candidate in asked.candidates]
        return choice(ids, judgments)


def choice(ids: Sequence[str], judgments: Iterable[Judgment]) -> Choice:
    """Copeland's rule: a point for each answer beaten, half of one where there is no winner.

    Equal points go by the sum of margins, then to the first. An answer that was compared with none
    (it failed its checks, or there is no other) has no point. Pure.
    """
    points = dict.fromkeys(ids, 0.0)
    margins = dict.fromkeys(ids, 0.0)
    given = tuple(judgments)
    undecided = 0
    for judgment in given:
        a = judgment.comparison.a.candidate.completion_id
        b = judgment.comparison.b.candidate.completion_id
        share = {Winner.A: 1.0, Winner.B: 0.0}.get(judgment.winner)
        undecided += share is None
        points[a] += 0.5 if share is None else share
        points[b] += 0.5 if share is None else 1 - share
        margins[a] += judgment.margin or 0.0
        margins[b] -= judgment.margin or 0.0
    best = max(range(len(ids)), key=lambda n: (points[ids[n]], margins[ids[n]], -n))
    return Choice(
        index=best,
        points=tuple(points[name] for name in ids),
        judgments=given,
        undecided=undecided,
    )
