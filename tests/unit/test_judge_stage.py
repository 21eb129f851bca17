"""The judge stage: who decides, what is asked, what is remembered."""

import asyncio

import pytest

from schemas.errors import DependencyDown, Poison
from schemas.events import Discard, Event, Judgment
from schemas.records import VerifierWinner, Winner
from streams.judge.judges import Judges
from streams.judge.member import Member, member_hash
from streams.judge.settings import JudgeSettings
from streams.judge.stage import JudgeStage
from tests.unit.judge_case import RUBRIC, ReadingModel, comparison

SETTINGS = JudgeSettings(rubric="harbor/1")


def stage(model: ReadingModel, **changes: object) -> JudgeStage:
    settings = SETTINGS.model_copy(update=changes)
    return JudgeStage(settings, Judges([Member(settings, RUBRIC, model)]))


def judgment(events: object) -> Judgment:
    assert isinstance(events, list)
    (event,) = events
    assert isinstance(event, Judgment)
    return event


async def test_both_orders_are_asked_at_once_and_agree() -> None:
    model = ReadingModel(together=2)
    async with asyncio.timeout(20):
        found = judgment(await stage(model)(comparison()))
    assert found.winner is Winner.A
    assert found.margin == pytest.approx(3.0, abs=0.1)
    assert found.position_bias == pytest.approx(0.0, abs=1e-6)
    assert found.source_ids == ("comparison-1",)
    assert found.teacher_model == "reading-model"
    assert found.rubric_version == "harbor/1"
    assert all(request.temperature == 0 for request in model.requests)
    assert [c.candidate for opinion in found.opinions for c in opinion.citations] == ["A", "B"]


async def test_a_judge_that_looks_at_the_place_is_in_conflict() -> None:
    model = ReadingModel(first_bonus=5.0)
    assert judgment(await stage(model)(comparison())).winner is Winner.CONFLICT


async def test_what_the_verifier_decided_passes_without_a_question() -> None:
    model = ReadingModel()
    event = comparison(verifier_winner=VerifierWinner.B)
    found = judgment(await stage(model)(event))
    assert (found.winner, found.opinions, found.margin) == (Winner.B, (), None)
    assert found.crosscheck_winner is None
    assert model.requests == []


async def test_a_crosscheck_is_judged_and_keeps_the_verifiers_winner() -> None:
    event = comparison(verifier_winner=VerifierWinner.B)
    found = judgment(await stage(ReadingModel(), crosscheck_share=1.0)(event))
    assert (found.winner, found.crosscheck_winner) == (Winner.B, Winner.A)
    assert len(found.opinions) == 2
    assert found.margin is None


async def test_the_crosscheck_share_is_seeded() -> None:
    events = [comparison(event_id=f"c{n}", verifier_winner=VerifierWinner.A) for n in range(200)]
    checked: list[set[str]] = []
    for seed in (0, 0, 1):
        judge = stage(ReadingModel(), crosscheck_share=0.3, crosscheck_seed=seed)
        found = [judgment(await judge(event)) for event in events]
        checked.append({each.comparison.event_id for each in found if each.crosscheck_winner})
    assert checked[0] == checked[1] != checked[2]
    assert 30 <= len(checked[0]) <= 90


async def test_without_a_judge_only_verifiers_decide() -> None:
    judge = JudgeStage(JudgeSettings(), None)
    decided = await judge(comparison(verifier_winner=VerifierWinner.A))
    assert judgment(decided).winner is Winner.A
    (left,) = await judge(comparison())
    assert isinstance(left, Discard)
    assert left.reason == "no_judge"
    assert left.subject_ids == ("comparison-1-a", "comparison-1-b")


async def test_another_rubric_than_the_judges_is_poison() -> None:
    with pytest.raises(Poison, match=r"pair\.rubric_id"):
        await stage(ReadingModel())(comparison(rubric_id="tone"))
    found = await stage(ReadingModel())(comparison(rubric_id="harbor/1"))
    assert judgment(found).winner is Winner.A


async def test_a_version_on_trial_judges_what_is_meant_for_the_others() -> None:
    second = RUBRIC.model_copy(update={"version": "2"})
    member = Member(SETTINGS, second, ReadingModel())
    event = comparison(rubric_id="harbor/1")
    (found,) = await JudgeStage(SETTINGS, Judges([member], trial="harbor/2"))(event)
    assert isinstance(found, Judgment)
    assert found.rubric_version == "harbor/2"
    for trial, meant in ((None, event), ("harbor/2", comparison(rubric_id="tone/1"))):
        with pytest.raises(Poison, match="asks for rubric"):
            await JudgeStage(SETTINGS, Judges([member], trial=trial))(meant)


async def test_a_model_that_is_down_is_for_the_runner_to_know() -> None:
    down = DependencyDown("no answer from the judge", reason="unreachable")
    with pytest.raises(DependencyDown):
        await stage(ReadingModel(fail=lambda _: down))(comparison())


async def test_closing_the_stage_closes_the_model() -> None:
    model = ReadingModel()
    await stage(model).aclose()
    assert model.closed


async def test_events_are_the_same_when_redone() -> None:
    one: list[Event] = list(await stage(ReadingModel())(comparison()))
    other: list[Event] = list(await stage(ReadingModel())(comparison()))
    assert one == other


def test_the_judge_hash_covers_what_decides_and_nothing_else() -> None:
    base = member_hash(SETTINGS, RUBRIC, "m")
    stricter = SETTINGS.model_copy(update={"min_captured_mass": 0.99})
    reworded = RUBRIC.model_copy(update={"instructions": "Compare well."})
    assert member_hash(stricter, RUBRIC, "m") != base
    assert member_hash(SETTINGS, reworded, "m") != base
    assert member_hash(SETTINGS, RUBRIC, "other") != base
    elsewhere = SETTINGS.model_copy(update={"model": "path:other", "crosscheck_share": 0.5})
    assert member_hash(elsewhere, RUBRIC, "m") == base


def test_the_crosscheck_share_changes_the_stage_but_not_the_judge() -> None:
    none, some = stage(ReadingModel()), stage(ReadingModel(), crosscheck_share=0.5)
    assert none.judge_config_hash == some.judge_config_hash
    assert none.config_hash != some.config_hash
