"""Record and replay: what is asked, what is stored and what a redone comparison says."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from schemas.errors import Poison, Transient
from schemas.events import Judgment
from schemas.records import Winner
from streams.inference.chat import ChatAnswer, ChatModel, ChatRequest, as_messages
from streams.judge.judges import Judges
from streams.judge.member import Member
from streams.judge.settings import JudgeSettings
from streams.judge.stage import JudgeStage
from streams.judge.stored import ReplayedModel, StoredModel
from streams.judge.verdict_store import VerdictStore
from tests.unit.judge_case import RUBRIC, ReadingModel, comparison

REQUEST = ChatRequest(messages=as_messages([("user", "A or B?")]), max_tokens=8)


class Numbered:
    """Answers with the number of the call."""

    model = "numbered"

    def __init__(self) -> None:
        self.calls = 0
        self.closed = False

    async def complete(self, request: ChatRequest) -> ChatAnswer:
        self.calls += 1
        return ChatAnswer(text=str(self.calls), model=self.model)

    async def aclose(self) -> None:
        self.closed = True


def stage(model: ChatModel) -> JudgeStage:
    settings = JudgeSettings(rubric="harbor/1")
    return JudgeStage(settings, Judges([Member(settings, RUBRIC, model)]))


async def test_an_answer_is_asked_for_once_and_the_first_stays(tmp_path: Path) -> None:
    path = tmp_path / "verdicts.sqlite"
    for _ in range(2):
        inner = Numbered()
        model = StoredModel(inner, VerdictStore(path), "id")
        texts = [(await model.complete(REQUEST)).text for _ in range(2)]
        assert texts == ["1", "1"]
        await model.aclose()
        assert inner.closed
    assert inner.calls == 0


async def test_recording_asks_afresh_and_replaces(tmp_path: Path) -> None:
    path = tmp_path / "verdicts.sqlite"
    recording = StoredModel(Numbered(), VerdictStore(path), "id", afresh=True)
    assert [(await recording.complete(REQUEST)).text for _ in range(2)] == ["1", "2"]
    await recording.aclose()
    replayed = ReplayedModel("numbered", VerdictStore(path), "id")
    assert (await replayed.complete(REQUEST)).text == "2"
    await replayed.aclose()


async def test_a_replay_asks_nobody_and_a_miss_says_what_to_do() -> None:
    replayed = ReplayedModel("numbered", VerdictStore(), "id")
    with pytest.raises(Poison, match=r"no answer of model numbered is stored .*set it to cache"):
        await replayed.complete(REQUEST)


async def test_another_model_does_not_find_the_answer(tmp_path: Path) -> None:
    path = tmp_path / "verdicts.sqlite"
    await StoredModel(Numbered(), VerdictStore(path), "one").complete(REQUEST)
    with pytest.raises(Poison):
        await ReplayedModel("numbered", VerdictStore(path), "other").complete(REQUEST)


async def test_the_answer_is_in_the_file_before_anyone_sees_it(tmp_path: Path) -> None:
    path = tmp_path / "verdicts.sqlite"
    await StoredModel(Numbered(), VerdictStore(path), "id").complete(REQUEST)
    with closing(sqlite3.connect(path)) as beside:
        assert beside.execute("SELECT count(*) FROM verdicts").fetchone() == (1,)


async def test_a_replayed_topic_gives_the_same_judgments(tmp_path: Path) -> None:
    path = tmp_path / "verdicts.sqlite"
    events = [comparison(event_id=f"c{n}") for n in range(5)]
    recorded = stage(StoredModel(ReadingModel(), VerdictStore(path), "id"))
    before = [await recorded(event) for event in events]
    await recorded.aclose()
    replay = stage(ReplayedModel("reading-model", VerdictStore(path), "id"))
    assert [await replay(event) for event in events] == before


async def test_the_order_that_was_answered_is_not_asked_again() -> None:
    model = ReadingModel(fail=lambda number: Transient("slow") if number == 1 else None)
    judge = stage(StoredModel(model, VerdictStore(), "id"))
    with pytest.raises(Transient, match="slow"):
        await judge(comparison())
    (found,) = await judge(comparison())
    assert isinstance(found, Judgment)
    assert found.winner is Winner.A
    assert len(model.requests) == 3
