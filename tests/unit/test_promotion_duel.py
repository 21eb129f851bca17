"""The judge between two policies, and live prompts in the shadow."""

import pytest

from schemas.events import Completion
from schemas.records import Origin, Outcome, Verdict, Winner
from streams.judge.judges import Judges
from streams.judge.member import Member
from streams.judge.settings import JudgeSettings
from streams.judge.stage import JudgeStage
from tests.events import NOON, completion
from tests.preferences import said
from tests.unit.judge_case import RUBRIC, ReadingModel
from trainer.evaluate import Answered
from trainer.promotion.duel import duels, score
from trainer.promotion.pair import Duel, Pair
from trainer.promotion.settings import ShadowSettings
from trainer.promotion.shadow import live_prompts, shadow_gates, without_shadow
from trainer.prompts import Prompt

N = 24


def answer(n: int, output: str, outcome: Outcome = Outcome.PASSED) -> Answered:
    return Answered(prompt_id=f"p{n}", slice=f"s{n % 2}", output=output, outcome=outcome)


def prompt(n: int) -> Prompt:
    return Prompt(prompt_id=f"p{n}", messages=said(f"how much is {n}?", "user"))


def pair(n: int, candidate: str, reference: str) -> Pair:
    return Pair(candidate=answer(n, candidate), reference=answer(n, reference))


def judge_by(model: ReadingModel) -> JudgeStage:
    settings = JudgeSettings(model="m", rubric="harbor/1")
    return JudgeStage(settings, Judges([Member(settings, RUBRIC, model)]))


async def judged(candidate: str, reference: str, model: ReadingModel) -> set[float | None]:
    judge = judge_by(model)
    given = [pair(n, f"{candidate} {n}", f"{reference} {n}") for n in range(N)]
    try:
        found = await duels([prompt(n) for n in range(N)], given, judge, "harbor", NOON)
    finally:
        await judge.aclose()
    assert len(found) == N
    return {duel.score for duel in found}


async def test_the_judges_favourite_wins_on_whichever_side_it_stands() -> None:
    model = ReadingModel()
    assert await judged("a good answer", "a bad answer", model) == {1.0}
    # both orders of each, and the candidate first in about half of the prompts
    assert len(model.requests) == 2 * N
    assert await judged("a bad answer", "a good answer", ReadingModel()) == {0.0}


async def test_a_judge_that_follows_the_order_decides_nothing() -> None:
    biased = ReadingModel(first_bonus=9.0)
    assert await judged("a good answer", "a bad answer", biased) == {0.5}


async def test_equal_answers_are_a_tie_that_nobody_is_asked_about() -> None:
    model = ReadingModel()
    assert await judged("the same", "the same", model) == {0.5}
    assert model.requests == []


async def test_without_answers_there_is_nothing_to_judge() -> None:
    model = ReadingModel()
    judge, silent = judge_by(model), answer(0, "").model_copy(update={"unanswered": "too long"})
    given = [Pair(candidate=silent, reference=silent), pair(1, "a good answer", "a bad one")]
    found = await duels([prompt(0), prompt(1)], given, judge, "harbor", NOON)
    await judge.aclose()
    assert [duel.score for duel in found] == [None, 1.0]
    assert len(model.requests) == 2


async def test_duels_keep_the_slices() -> None:
    judge = judge_by(ReadingModel())
    given = [pair(0, "a good answer", "a bad one"), pair(1, "a bad answer", "a good one")]
    found = await duels([prompt(0), prompt(1)], given, judge, "harbor", NOON)
    await judge.aclose()
    assert found == (Duel(slice="s0", score=1.0), Duel(slice="s1", score=0.0))


@pytest.mark.parametrize(
    ("winner", "candidate_is_a", "value"),
    [
        (Winner.A, True, 1.0),
        (Winner.A, False, 0.0),
        (Winner.B, False, 1.0),
        (Winner.TIE, True, 0.5),
        (Winner.CONFLICT, False, 0.5),
    ],
)
def test_a_verdict_is_a_score_for_the_candidate(
    winner: Winner, candidate_is_a: bool, value: float
) -> None:
    assert score(winner, candidate_is_a=candidate_is_a) == value


def live(n: int, **changes: object) -> Completion:
    return completion(event_id=f"c{n}", prompt_id=f"p{n}", **changes)


def test_the_shadow_asks_recent_production_prompts_that_were_not_trained_on() -> None:
    everything = ShadowSettings(share=1.0, max_prompts=3)
    traffic = [*(live(n) for n in range(6)), live(9, origin=Origin.SAMPLE), live(2)]
    found = live_prompts(traffic, frozenset({"p5"}), everything)
    assert [one.prompt_id for one in found] == ["p3", "p4", "p2"]


def test_a_prompt_is_always_or_never_in_the_share() -> None:
    settings = ShadowSettings(share=0.3, max_prompts=1000)
    traffic = [live(n) for n in range(400)]
    found = {one.prompt_id for one in live_prompts(traffic, frozenset(), settings)}
    assert 0.2 < len(found) / 400 < 0.4
    again = live_prompts(list(reversed(traffic[:200])), frozenset(), settings)
    assert {one.prompt_id for one in again} == {f"p{n}" for n in range(200)} & found


def shadowed(worse: int) -> dict[str, Verdict]:
    given = [
        Pair(
            candidate=answer(n, "x", Outcome.FAILED if n < worse else Outcome.PASSED),
            reference=answer(n, "x"),
        )
        for n in range(200)
    ]
    wins = [Duel(slice="s", score=0.5) for _ in given]
    gates = shadow_gates(given, wins, ShadowSettings(share=1.0))
    return {gate.name: gate.verdict for gate in gates}


def test_the_shadow_holds_back_what_fails_on_live_prompts() -> None:
    assert set(shadowed(0).values()) == {Verdict.PASS}
    assert shadowed(0).keys() == {"shadow/prompts", "shadow/passed", "shadow/win_rate"}
    assert shadowed(40)["shadow/passed"] is Verdict.FAIL


def test_live_prompts_beyond_the_context_are_left_out_and_counted() -> None:
    silent = answer(0, "").model_copy(update={"unanswered": "too long"})
    given = [Pair(candidate=silent, reference=silent), *(pair(n, "x", "x") for n in range(200))]
    prompts, passed = shadow_gates(given, None, ShadowSettings(share=1.0))
    assert (prompts.value, passed.verdict) == (200, Verdict.PASS)
    assert "1 by neither, left out; the first: too long" in prompts.detail
    few = without_shadow(49, ShadowSettings(), "1 by neither")
    assert few is not None
    assert few.detail.endswith("50 are needed; 1 by neither")


def test_too_little_live_traffic_proves_nothing() -> None:
    (first, *_) = shadow_gates([pair(0, "x", "y")], None, ShadowSettings(share=1.0))
    assert first.verdict is Verdict.INCONCLUSIVE


def test_with_few_live_prompts_a_gate_says_that_nobody_was_asked() -> None:
    shadow = ShadowSettings(min_prompts=50)
    assert without_shadow(50, shadow) is None
    few = without_shadow(49, shadow)
    assert few is not None
    assert few.verdict is Verdict.PASS
    assert few.detail == "not run: 49 live prompts that were not trained on, 50 are needed"
    off = without_shadow(1000, ShadowSettings(share=0))
    assert off is not None
    assert off.detail == "not run: promotion.shadow.share is 0"


def test_a_project_may_wait_for_live_traffic() -> None:
    few = without_shadow(49, ShadowSettings(min_prompts=50, too_few="withhold"))
    assert few is not None
    assert (few.verdict, few.detail) == (Verdict.INCONCLUSIVE, "1 more prompts are needed")
