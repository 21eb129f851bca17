"""Panels: what a file may say, how members are combined, who is asked, what is stored."""

import json
from pathlib import Path
from typing import Any, get_args

import pytest

from infra.settings import Settings
from schemas.errors import ConfigError, Transient
from schemas.events import Judgment
from schemas.records import Order, Winner
from streams.inference.chat import ChatAnswer, ChatRequest
from streams.judge.combine import Ballot, Method, ballot, combine
from streams.judge.judges import Judges
from streams.judge.member import Member
from streams.judge.panel import Panel, load_panel
from streams.judge.settings import JudgeSettings
from streams.judge.stage import JudgeStage
from streams.judge.verdict import Decision
from streams.pipeline import build_stage
from tests.unit.judge_case import RUBRIC, ReadingModel, comparison, opinion, spoken


def panel(*names: str, **changes: Any) -> Panel:
    members = [{"name": name, "model": f"openai:{name}", "rubric": RUBRIC.ref} for name in names]
    return Panel.model_validate({"id": "tone", "version": 1, "members": members} | changes)


def stage(file: Panel, *models: ReadingModel, **changes: Any) -> JudgeStage:
    members = [
        Member(settings, RUBRIC, model, name=settings.name)
        for settings, model in zip(file.members, models, strict=True)
    ]
    return JudgeStage(JudgeSettings(panel=file.ref, **changes), Judges(members, file))


async def judged(judge: JudgeStage, **case: Any) -> Judgment:
    (found,) = await judge(comparison(**case))
    assert isinstance(found, Judgment)
    return found


def said(winner: Winner, margin: float | None = None, weight: float = 1.0) -> Ballot:
    """A ballot with two opinions that say the same."""
    opinions = tuple(opinion(order, answer=winner) for order in Order)
    decision = Decision(winner=winner, margin=margin, position_bias=None if margin is None else 0.0)
    return Ballot(weight=weight, opinions=opinions, decision=decision)


A, B, TIE, CONFLICT, INVALID = (
    Winner.A,
    Winner.B,
    Winner.TIE,
    Winner.CONFLICT,
    Winner.INVALID,
)


@pytest.mark.parametrize(
    ("verdicts", "winner"),
    [
        ((A, A, B), A),
        ((A, A, CONFLICT), A),
        ((TIE, TIE, A), TIE),
        ((A, B), CONFLICT),
        ((A, B, TIE), CONFLICT),
        ((A, CONFLICT, CONFLICT), CONFLICT),
        ((A, A, INVALID), A),
        ((A, INVALID), INVALID),
        ((INVALID,), INVALID),
    ],
)
def test_the_majority_of_the_voters_decides(verdicts: tuple[Winner, ...], winner: Winner) -> None:
    assert combine([said(one) for one in verdicts], "majority").winner is winner


def test_a_member_without_a_vote_is_heard_and_does_not_count() -> None:
    ballots = [said(A, 1.0), said(B, -9.0, weight=0), said(B, -9.0, weight=0)]
    for method in get_args(Method):
        found = combine(ballots, method)
        assert (found.winner, found.agreement, found.margin) == (A, 1.0, 1.0)


def test_the_margin_of_a_majority_favours_the_majority() -> None:
    found = combine([said(A, 0.4), said(A, 0.2), said(B, -9.0)], "majority")
    assert (found.winner, found.margin) == (A, 0.2)
    assert found.agreement == pytest.approx(2 / 3)


def test_log_odds_weigh_the_margins() -> None:
    sure, unsure = said(B, -2.0, weight=1.5), said(A, 1.0)
    found = combine([sure, unsure, unsure], "log_odds")
    assert found.winner is B
    assert found.margin == pytest.approx(-1.0)


def test_a_vote_weighs_in_log_odds_and_leaves_no_margin() -> None:
    found = combine([said(A, 0.5), said(B, None, weight=2.0)], "log_odds")
    assert (found.winner, found.margin) == (B, None)


def test_a_place_that_weighs_more_than_the_candidates_is_a_conflict() -> None:
    biased = ballot(
        1.0, [opinion(Order.AB, (0.9, 0.05, 0.05)), opinion(Order.BA, (0.9, 0.05, 0.05))]
    )
    weak = ballot(0.1, [opinion(Order.AB, (0.9, 0.05, 0.05)), opinion(Order.BA, (0.05, 0.9, 0.05))])
    assert combine([biased, weak], "log_odds").winner is CONFLICT
    assert combine([weak], "log_odds").winner is A


def test_nobody_with_a_vote_is_a_mistake() -> None:
    with pytest.raises(ValueError, match="no member has a vote"):
        combine([said(A, 1.0, weight=0)], "majority")


async def test_every_member_is_asked_in_both_orders_and_stored_by_name() -> None:
    file = panel("strict", "kind", "biased")
    models = ReadingModel(), ReadingModel(), ReadingModel(first_bonus=9.0)
    found = await judged(stage(file, *models))
    assert (found.winner, found.panel, found.rubric_version) == (A, "tone/1", "harbor/1")
    assert found.agreement == pytest.approx(5 / 6)
    assert [(one.member, one.order) for one in found.opinions] == [
        (name, order) for name in ("strict", "kind", "biased") for order in Order
    ]
    prompts = {one.prompt_sha256 for one in found.opinions}
    assert len(prompts) == 6  # each call has a code of its own


async def test_a_sure_first_member_of_a_cascade_decides_alone() -> None:
    file = panel("cheap", "dear", cascade={"first": "cheap", "settled_margin": 2.0})
    cheap, dear = ReadingModel(), ReadingModel()
    judge = stage(file, cheap, dear)
    found = await judged(judge)
    assert (found.winner, found.marks, found.teacher_model) == (A, ("cascade",), "reading-model")
    assert (len(cheap.requests), len(dear.requests)) == (2, 0)
    unsure = await judged(judge, event_id="c2", a="one answer", b="other answer")
    assert (len(unsure.opinions), unsure.marks) == (4, ())
    assert len(dear.requests) == 2


@pytest.mark.parametrize(("p_tie", "asked"), [(0.9, 0), (0.5, 2)])
async def test_a_sure_tie_settles_a_cascade_too(p_tie: float, asked: int) -> None:
    class Tying(ReadingModel):
        async def complete(self, request: ChatRequest) -> ChatAnswer:
            rest = (1 - p_tie) / 2
            return spoken(["Verdict:", " tie"], {" tie": p_tie, " A": rest, " B": rest})

    file = panel("cheap", "dear", cascade={"first": "cheap", "settled_margin": 2.0})
    dear = ReadingModel()
    await judged(stage(file, Tying(), dear))
    assert len(dear.requests) == asked


async def test_what_others_answered_is_waited_for_where_one_fails() -> None:
    failing = ReadingModel(fail=lambda _: Transient("slow"))
    other = ReadingModel()
    with pytest.raises(Transient, match="slow"):
        await judged(stage(panel("strict", "kind"), failing, other))
    assert len(other.requests) == 2


def test_the_judge_hash_covers_members_weights_and_method_but_not_the_name() -> None:
    models = ReadingModel(), ReadingModel()
    base = stage(panel("strict", "kind"), *models)
    renamed = stage(panel("strict", "kind", id="other", version=7), *models)
    summed = stage(panel("strict", "kind", method="log_odds"), *models)
    cascade = {"first": "kind", "settled_margin": 1.0}
    cascaded = stage(panel("strict", "kind", cascade=cascade), *models)
    alone = stage(panel("strict"), models[0])
    hashes = {one.judge_config_hash for one in (base, summed, cascaded, alone)}
    assert len(hashes) == 4
    assert base.judge_config_hash == renamed.judge_config_hash
    assert base.config_hash != renamed.config_hash


GOOD = """\
id: tone
version: 1
members:
  - name: strict
    model: openai:one
    rubric: harbor/1
  - name: kind
    model: openai:two
    constitution: harmless/1
    samples: 3
"""


@pytest.mark.parametrize(
    ("old", "new", "said_why"),
    [
        ("name: kind", "name: strict", "stands twice"),
        ("    rubric: harbor/1\n", "", "needs a model, and a rubric or a constitution"),
        ("    model: openai:one\n", "", "needs a model"),
        ("    samples: 3", "    rubric: harbor/1", "a rubric or a constitution, not both"),
        ("    samples: 3", "    weight: 0", "give the reason as no_vote"),
        ("id: tone", "id: other", "says it is panel other/1"),
        ("version: 1", "version: 1\nmethod: vote", "method"),
        (
            "version: 1",
            "version: 1\ncascade: {first: nobody, settled_margin: 1}",
            "no member of the panel",
        ),
        (
            "version: 1",
            "version: 1\ncascade: {first: kind, settled_margin: 1}",
            "cannot decide alone",
        ),
    ],
)
def test_a_bad_panel_names_file_and_remedy(
    tmp_path: Path, old: str, new: str, said_why: str
) -> None:
    file = tmp_path / "panels" / "tone" / "1.yaml"
    file.parent.mkdir(parents=True)
    file.write_text(GOOD)
    assert load_panel(tmp_path, "tone/1").ref == "tone/1"
    file.write_text(GOOD.replace(old, new))
    with pytest.raises(ConfigError, match=rf"1\.yaml:\d+: .*{said_why}"):
        load_panel(tmp_path, "tone/1")


async def test_a_project_opens_its_panel_and_locks_what_it_uses(tmp_path: Path) -> None:
    event = comparison(rubric_id="tone")
    for name, preferred in (("one", "A"), ("two", "A"), ("three", "B")):
        row = {"prompt": "how much?", "given": preferred, "swapped": preferred}
        row |= {"a": event.a.candidate.output, "b": event.b.candidate.output}
        (tmp_path / f"{name}.jsonl").write_text(json.dumps(row))
    file = panel("one", "two", "three").model_dump(exclude_defaults=True)
    for member in file["members"]:
        member["model"] = f"recorded:{member['name']}.jsonl"
    for path, content in (
        ("panels/tone/1.yaml", json.dumps(file)),
        ("rubrics/harbor/1.yaml", RUBRIC.model_dump_json(exclude_defaults=True)),
        ("pipeline.yaml", "pair: {rubric_id: tone}\njudge: {panel: tone/1}"),
    ):
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text(content)
    judge = build_stage("judge", tmp_path, Settings(data_dir=tmp_path / "data"))
    (found,) = await judge(event)
    await judge.aclose()
    assert isinstance(found, Judgment)
    assert (found.winner, found.marks) == (Winner.A, ("no_margin",))
    assert found.agreement == pytest.approx(2 / 3)
    for kind, ref in (("panels", "tone/1"), ("rubrics", "harbor/1")):
        assert list(json.loads((tmp_path / kind / "lock.json").read_text())) == [ref]
    (tmp_path / "panels/tone/1.yaml").write_text(json.dumps(file | {"method": "log_odds"}))
    with pytest.raises(ConfigError, match="make a new version"):
        build_stage("judge", tmp_path, Settings(data_dir=tmp_path / "data"))


def test_a_panel_and_a_judge_of_ones_own_exclude_each_other() -> None:
    with pytest.raises(ValueError, match="remove model and rubric"):
        JudgeSettings(panel="tone/1", model="openai:m", rubric="harbor/1")
