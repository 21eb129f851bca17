"""The committed judge, through the judge stage as it runs."""

import asyncio
from itertools import islice

import pytest

from examples.harbor import policy
from examples.harbor.anchors import anchors
from examples.harbor.judge.exchanges import exchanges
from examples.harbor.judge.faithfulness import better
from examples.harbor.judge.measure import anchor_comparison, judge, strength_of
from examples.harbor.judge.model import CHECKPOINT, MAX_OPINION_TOKENS
from examples.harbor.judge.train import PROJECT, RUBRIC
from examples.harbor.questions import questions
from schemas.events import Judgment
from schemas.records import Winner
from streams.inference.in_process import InProcessModel
from streams.judge.judges import Judges
from streams.judge.member import Member
from streams.judge.rubric import load_rubric
from streams.judge.settings import JudgeSettings
from streams.judge.stage import JudgeStage
from streams.judge.strength import Strength

SAMPLE = 48
WINNERS = {"A": Winner.A, "B": Winner.B, "tie": Winner.TIE}


@pytest.fixture(scope="module")
def judged() -> list[Judgment]:
    """Held-out comparisons (dev questions) with their judgments."""

    async def judge() -> list[Judgment]:
        settings = JudgeSettings(
            model=f"path:{CHECKPOINT}", rubric=RUBRIC, max_tokens=MAX_OPINION_TOKENS
        )
        member = Member(settings, load_rubric(PROJECT, RUBRIC), InProcessModel(CHECKPOINT))
        stage = JudgeStage(settings, Judges([member]))
        events = [each.comparison for each in islice(exchanges(questions("dev"), 21), SAMPLE)]
        found = await asyncio.gather(*(stage(event) for event in events))
        await stage.aclose()
        return [each for (each,) in found if isinstance(each, Judgment)]

    return asyncio.run(judge())


def test_it_finds_the_better_answer(judged: list[Judgment]) -> None:
    right = [
        each.winner
        is WINNERS[better(each.comparison.a.candidate.output, each.comparison.b.candidate.output)]
        for each in judged
    ]
    assert len(right) == SAMPLE
    assert sum(right) >= 0.9 * SAMPLE


def test_it_is_stronger_than_the_policy_on_anchors() -> None:
    found = list(islice(anchors("calibration"), 200))
    winners = [Winner(each.labels.winner) for each in found]
    events = [anchor_comparison(each) for each in found]

    async def measured() -> Strength:
        return await strength_of(await judge(events, CHECKPOINT), winners, policy.CHECKPOINT)

    strength = asyncio.run(measured())
    assert strength.judge >= 0.98
    assert max(strength.policy_by_sum, strength.policy_by_mean) <= 0.96
    assert strength.is_stronger


def test_its_verdicts_hold_all_of_the_probability(judged: list[Judgment]) -> None:
    masses = [opinion.captured_mass for each in judged for opinion in each.opinions]
    assert min(mass or 0.0 for mass in masses) > 0.99


def test_it_cites_r4_for_both_candidates(judged: list[Judgment]) -> None:
    for each in judged:
        for opinion in each.opinions:
            assert {citation.candidate for citation in opinion.citations} == {"A", "B"}
            assert {citation.criterion for citation in opinion.citations} == {"R4"}


def test_the_checkpoint_is_small() -> None:
    assert sum(file.stat().st_size for file in CHECKPOINT.iterdir()) <= 3_000_000
