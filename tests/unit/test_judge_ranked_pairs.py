"""Ranking as a mode of the judge stage: whole sets asked about, pairs decided."""

import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from infra.settings import Settings
from schemas.errors import ConfigError
from schemas.events import Comparison, Discard, Event, Judgment, Preference, Verification
from schemas.records import Outcome, Winner
from streams.filter import FilterStage
from streams.filter_rules import FilterSettings
from streams.inference.chat import ChatAnswer, ChatRequest
from streams.judge.judges import Judges
from streams.judge.listwise import ListwiseMember
from streams.judge.proof import prove
from streams.judge.settings import JudgeSettings
from streams.judge.stage import JudgeStage
from streams.judge.stored import StoredModel
from streams.judge.verdict_store import VerdictStore
from streams.local import run_local
from streams.pair import PairSettings, PairStage
from streams.pipeline import build_stage
from streams.stage import Stage
from tests.events import verification, verified
from tests.unit.judge_case import RUBRIC, Ranker, comparison

PASSED, FAILED, UNDECIDED = Outcome.PASSED, Outcome.FAILED, Outcome.UNDECIDED
RANKING = JudgeSettings(rubric=RUBRIC.ref, mode="listwise")
PAIRING = PairSettings(max_pairs_per_prompt=6, rubric_id=RUBRIC.id, carry_set=True)
NUMBERS = verification(
    verified("c", PASSED, "30"),
    verified("a", PASSED, "10"),
    verified("d", UNDECIDED, "40"),
    verified("b", PASSED, "20"),
)


def judging(model: Ranker, key: bytes = b"key") -> tuple[JudgeStage, ListwiseMember]:
    member = ListwiseMember(RANKING, RUBRIC, StoredModel(model, VerdictStore(), "id"))
    member.nonce_key = key
    return JudgeStage(RANKING, Judges([member])), member


async def made(model: Ranker, event: Verification) -> Sequence[Event]:
    stage, _ = judging(model)
    stages: list[Stage[Any]] = [PairStage(PAIRING), stage, FilterStage(FilterSettings())]
    run = await run_local(stages, [event])
    return [event for found in run.outputs.values() for event in found]


async def test_all_pairs_of_a_set_are_decided_by_a_call_a_candidate() -> None:
    model = Ranker()
    events = await made(model, NUMBERS)
    pairs = {
        (event.chosen[0].content, event.rejected[0].content)
        for event in events
        if isinstance(event, Preference)
    }
    assert pairs == {
        ("40", "30"), ("40", "20"), ("40", "10"), ("30", "20"), ("30", "10"), ("20", "10"),
    }  # fmt: skip
    assert len(model.requests) == 4


async def test_the_filter_gets_votes_marks_and_no_margin() -> None:
    judgments = [event for event in await made(Ranker(), NUMBERS) if isinstance(event, Judgment)]
    assert len(judgments) == 6
    for judgment in judgments:
        assert judgment.margin is None
        assert judgment.agreement == 1.0
        assert judgment.marks == ("no_margin", "ranked")
        assert [opinion.sample for opinion in judgment.opinions] == [0, 1, 2, 3]
        assert {opinion.prompt_version for opinion in judgment.opinions} == {"listwise-2"}


async def test_a_judge_that_ranks_by_place_makes_no_preference() -> None:
    events = await made(Ranker(by_place=True), NUMBERS)
    reasons = [event.reason for event in events if isinstance(event, Discard)]
    assert reasons == ["position_conflict"] * 6
    assert not any(isinstance(event, Preference) for event in events)


async def test_pairs_of_a_set_that_are_judged_at_once_ask_once() -> None:
    class Slow(Ranker):
        async def complete(self, request: ChatRequest) -> ChatAnswer:
            self.requests.append(request)
            await both_wait.wait()
            return self.ranked(request)

    both_wait = asyncio.Event()
    model = Slow()
    stage, _ = judging(model)
    first, second, *_ = [
        event for event in await PairStage(PAIRING)(NUMBERS) if isinstance(event, Comparison)
    ]
    judged = [asyncio.create_task(stage(event)) for event in (first, second)]
    while len(model.requests) < 4:
        await asyncio.sleep(0)
    both_wait.set()
    await asyncio.gather(*judged)
    assert len(model.requests) == 4


async def test_every_ranking_prompt_is_rendered_again_and_proven() -> None:
    stage, member = judging(Ranker())
    event, *_ = await PairStage(PAIRING)(NUMBERS)
    assert isinstance(event, Comparison)
    (judgment,) = await stage(event)
    assert isinstance(judgment, Judgment)
    proofs = prove(judgment, [member], same_config=True)
    assert [proof.matches for proof in proofs] == [True] * 4
    assert len({proof.prompt.sha256 for proof in proofs if proof.prompt}) == 4
    other = judging(Ranker(), b"another key")[1]
    assert not any(proof.matches for proof in prove(judgment, [other], same_config=True))


async def test_a_comparison_that_carries_no_set_is_ranked_as_a_set_of_two() -> None:
    model = Ranker()
    stage, _ = judging(model)
    (judgment,) = await stage(comparison(a="5", b="7"))
    assert isinstance(judgment, Judgment)
    assert judgment.winner is Winner.B
    assert len(model.requests) == 2


async def test_others_are_what_else_did_not_fail_each_text_once() -> None:
    event = verification(
        verified("x", PASSED, "1"),
        verified("y", PASSED, "2"),
        verified("z", FAILED, "3"),
        verified("w", UNDECIDED, "4"),
        verified("same", PASSED, "4"),
    )
    for settings, expected in ((PAIRING, {"1", "2", "4"}), (PairSettings(), set())):
        compared = [one for one in await PairStage(settings)(event) if isinstance(one, Comparison)]
        for one in compared:
            pair = {one.a.candidate.output, one.b.candidate.output}
            assert sorted(o.output for o in one.others) == sorted(expected - pair)


@pytest.mark.parametrize(
    ("pair", "judge", "said"),
    [
        ("{rubric_id: harbor}", "mode: listwise", "only with pair.carry_set: true"),
        ("{rubric_id: other}", "mode: verdict_only", "pair.rubric_id is 'other'"),
        ("{}", "mode: verdict_only", "set pair.rubric_id to one of harbor, harbor/1"),
        ("{rubric_id: harbor, carry_set: true}", "mode: listwise, samples: 3", "remove samples"),
    ],
)
def test_a_project_whose_parts_disagree_does_not_start(
    tmp_path: Path, pair: str, judge: str, said: str
) -> None:
    def opened(stage: str, ref: str) -> Ranker:
        return Ranker()

    folder = tmp_path / "rubrics" / RUBRIC.id
    folder.mkdir(parents=True)
    (folder / "1.yaml").write_text(RUBRIC.model_dump_json(exclude_defaults=True))
    (tmp_path / "pipeline.yaml").write_text(
        f"pair: {pair}\njudge: {{model: 'openai:x', rubric: harbor/1, {judge}}}\n"
    )
    with pytest.raises(ConfigError, match=said):
        build_stage("judge", tmp_path, Settings(data_dir=tmp_path / "data"), opened)
