"""Recorded verdicts as a judge: either side, either order, and what a bad file is told."""

from pathlib import Path

import pytest

from infra.settings import Settings
from schemas.errors import ConfigError, Poison
from schemas.events import Comparison, Judgment
from schemas.records import Order, Winner
from streams.judge.judges import Judges
from streams.judge.member import Member
from streams.judge.recorded import RecordedVerdict, RecordedVerdicts, read_recorded
from streams.judge.settings import JudgeSettings
from streams.judge.stage import JudgeStage
from streams.pipeline import build_stage
from tests.unit.judge_case import RUBRIC, comparison


def recorded(event: Comparison, given: str | None, swapped: str | None) -> RecordedVerdict:
    return RecordedVerdict.model_validate(
        {
            "prompt": event.messages[-1].content,
            "a": event.a.candidate.output,
            "b": event.b.candidate.output,
            "given": given,
            "swapped": swapped,
        }
    )


def exchanged(event: Comparison) -> Comparison:
    return event.model_copy(update={"a": event.b, "b": event.a})


async def judge(event: Comparison, *verdicts: RecordedVerdict) -> Judgment:
    settings = JudgeSettings(rubric=RUBRIC.ref)
    stage = JudgeStage(settings, Judges([Member(settings, RUBRIC, RecordedVerdicts(verdicts))]))
    (judgment,) = await stage(event)
    assert isinstance(judgment, Judgment)
    return judgment


@pytest.mark.parametrize(
    ("given", "swapped", "winner"),
    [
        ("A", "A", Winner.A),
        ("B", "B", Winner.B),
        ("tie", "tie", Winner.TIE),
        ("A", "B", Winner.CONFLICT),
        ("A", "tie", Winner.CONFLICT),
        ("A", None, Winner.INVALID),
        (None, None, Winner.INVALID),
    ],
)
async def test_both_orders_decide(given: str | None, swapped: str | None, winner: Winner) -> None:
    event = comparison()
    judgment = await judge(event, recorded(event, given, swapped))
    assert judgment.winner is winner
    assert judgment.margin is None
    assert [opinion.p_first for opinion in judgment.opinions] == [None, None]


async def test_the_side_does_not_matter() -> None:
    event = comparison()
    verdict = recorded(event, "A", "B")
    straight, mirrored = await judge(event, verdict), await judge(exchanged(event), verdict)
    by_order = [
        {opinion.order: opinion.answer for opinion in each.opinions}
        for each in (straight, mirrored)
    ]
    assert by_order[0] == {Order.AB: Winner.A, Order.BA: Winner.B}
    # shown first, what is A here was recorded as B shown first
    assert by_order[1] == {Order.AB: Winner.A, Order.BA: Winner.B}
    same = recorded(event, "A", "A")
    assert (await judge(exchanged(event), same)).winner is Winner.B


async def test_what_was_not_recorded_is_poison() -> None:
    event = comparison()
    other = recorded(event, "A", "A").model_copy(update={"prompt": "something else"})
    with pytest.raises(Poison, match="no verdict is recorded"):
        await judge(event, other)


def test_other_verdicts_are_another_judge() -> None:
    event = comparison()
    one, other = (RecordedVerdicts([recorded(event, name, name)]) for name in "AB")
    assert one.model != other.model
    assert one.model == RecordedVerdicts([recorded(event, "A", "A")]).model


def test_a_contradiction_is_told() -> None:
    event = comparison()
    with pytest.raises(ConfigError, match="contradicts"):
        RecordedVerdicts([recorded(event, "A", "A"), recorded(event, "A", "B")])


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("{", "line 2"),
        ('{"prompt": "p", "a": "x", "b": "y", "given": "C", "swapped": "A"}', "given"),
        ('{"prompt": "p", "a": "x", "b": "y", "given": "A"}', "swapped"),
        ('{"prompt": "p", "a": "x", "b": "y", "given": "A", "swapped": "A", "z": 1}', "z"),
    ],
)
def test_a_bad_file_is_told_where(tmp_path: Path, line: str, said: str) -> None:
    file = tmp_path / "verdicts.jsonl"
    file.write_text("\n" + line, encoding="utf-8")
    with pytest.raises(ConfigError) as raised:
        read_recorded(file)
    assert "line 2" in str(raised.value)
    assert said in str(raised.value)


def test_a_project_names_the_file(tmp_path: Path) -> None:
    event = comparison()
    verdicts = tmp_path / "verdicts.jsonl"
    verdicts.write_text(recorded(event, "A", "A").model_dump_json(), encoding="utf-8")
    folder = tmp_path / "rubrics" / RUBRIC.id
    folder.mkdir(parents=True)
    (folder / f"{RUBRIC.version}.yaml").write_text(RUBRIC.model_dump_json(), encoding="utf-8")
    project = tmp_path / "pipeline.yaml"
    pair = f"pair: {{rubric_id: {RUBRIC.id}}}\n"
    project.write_text(f"{pair}judge: {{model: 'recorded:verdicts.jsonl', rubric: {RUBRIC.ref}}}")
    stage = build_stage("judge", tmp_path, Settings())
    assert isinstance(stage, JudgeStage)
    project.write_text(f"{pair}judge: {{model: 'recorded:nowhere.jsonl', rubric: {RUBRIC.ref}}}")
    with pytest.raises(ConfigError, match="cannot be read"):
        build_stage("judge", tmp_path, Settings())
