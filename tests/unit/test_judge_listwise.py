"""Whole sets ranked under rotated orders, and what becomes of a taste for a place."""

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner

from cli.main import app
from schemas.errors import ConfigError, Poison
from schemas.events import CandidateSet
from schemas.records import Candidate, Message, Order, Purpose, Winner
from streams.judge.listwise import ListwiseJudge
from streams.judge.member import Member
from streams.judge.ranking import (
    PairVerdict,
    all_pairs,
    best_first,
    preferred,
    read_ranking,
    rotation,
)
from streams.judge.recorded import RecordedVerdicts
from streams.judge.settings import JudgeSettings
from streams.judge.verdict import Decision
from tests.unit.judge_case import RUBRIC, Ranker

SETTINGS = JudgeSettings(rubric=RUBRIC.ref)


def candidate_set(*outputs: str) -> CandidateSet:
    return CandidateSet(
        event_id="set-1",
        occurred_at=datetime(2026, 1, 2, tzinfo=UTC),
        workload_id="w",
        config_hash="c",
        prompt_id="p",
        messages=(Message(role="user", content="how much?"),),
        purpose=Purpose.PRODUCTION,
        candidates=tuple(
            Candidate(completion_id=f"c{number}", output=text, model="m")
            for number, text in enumerate(outputs)
        ),
    )


async def test_the_order_is_the_judges_whatever_stands_where() -> None:
    model = Ranker()
    found = await ListwiseJudge(Member(SETTINGS, RUBRIC, model)).rank(
        candidate_set("30", "10", "40", "20")
    )
    assert found.order == (2, 0, 3, 1)
    assert len(model.requests) == 4
    assert all(pair.decision.margin is None for pair in found.pairs)
    assert len(found.opinions) == 6 * 4


async def test_a_judge_that_ranks_by_place_decides_no_pair_of_two() -> None:
    judge = ListwiseJudge(Member(SETTINGS, RUBRIC, Ranker(by_place=True)))
    found = await judge.rank(candidate_set("30", "10"))
    assert [pair.decision.winner for pair in found.pairs] == [Winner.CONFLICT]


async def test_every_pair_is_seen_in_both_orders() -> None:
    judge = ListwiseJudge(Member(SETTINGS, RUBRIC, Ranker()))
    found = await judge.rank(candidate_set("1", "2", "3", "4", "5"))
    per_pair = len(found.opinions) // len(found.pairs)
    for place in range(len(found.pairs)):
        of_pair = found.opinions[place * per_pair : (place + 1) * per_pair]
        assert {opinion.order for opinion in of_pair} == set(Order)


@pytest.mark.parametrize("outputs", [("1",), tuple(map(str, range(27)))])
async def test_a_set_that_cannot_be_ranked_is_poison(outputs: tuple[str, ...]) -> None:
    with pytest.raises(Poison, match="rank 2 to 26"):
        await ListwiseJudge(Member(SETTINGS, RUBRIC, Ranker())).rank(candidate_set(*outputs))


async def test_recorded_verdicts_cannot_rank() -> None:
    with pytest.raises(ConfigError, match="name a model"):
        await ListwiseJudge(Member(SETTINGS, RUBRIC, RecordedVerdicts([]))).rank(
            candidate_set("1", "2")
        )


@pytest.mark.parametrize(
    ("text", "ranks"),
    [
        ("Ranking: B > A = C", {1: 0, 0: 1, 2: 1}),
        ("so Ranking: C > A > B\nRanking: **A > B > C**", {0: 0, 1: 1, 2: 2}),
        ("B > A > C", None),
        ("Ranking: B > A", None),
        ("Ranking: A > B > C > D", None),
        ("Ranking: A > B > B", None),
    ],
)
def test_a_ranking_names_every_candidate_once(text: str, ranks: dict[int, int] | None) -> None:
    assert read_ranking(text, [0, 1, 2]) == ranks


@given(st.permutations(range(6)), st.integers(0, 5))
def test_a_consistent_ranking_comes_out_of_any_rotation(best: list[int], first: int) -> None:
    shown = rotation(6, first)
    letters = " > ".join("ABCDEF"[shown.index(number)] for number in best)
    ranks = read_ranking(f"Ranking: {letters}", shown)
    pairs = [
        PairVerdict(a=a, b=b, decision=Decision(winner=preferred(a, b, ranks)))
        for a, b in all_pairs(6)
    ]
    assert list(best_first(6, pairs)) == best


def test_the_command_ranks_a_file(tmp_path: Path) -> None:
    file = tmp_path / "sets.jsonl"
    file.write_text('{"prompt": "how much?", "output": "12"}\n')
    folder = tmp_path / "rubrics" / RUBRIC.id
    folder.mkdir(parents=True)
    (folder / "1.yaml").write_text(RUBRIC.model_dump_json(exclude_defaults=True))
    (tmp_path / "v.jsonl").write_text(
        json.dumps({"prompt": "p", "a": "1", "b": "2", "given": "A", "swapped": "A"})
    )
    (tmp_path / "pipeline.yaml").write_text(
        f"judge: {{model: 'recorded:v.jsonl', rubric: {RUBRIC.ref}}}"
    )
    found = CliRunner().invoke(app, ["judge", "rank", str(file), "--project", str(tmp_path)])
    assert isinstance(found.exception, ConfigError)
    assert "is one answer; give outputs" in str(found.exception)
