"""The verdict store: what makes a redone call say the same."""

import sqlite3
from concurrent.futures import ThreadPoolExecutor
from itertools import count
from pathlib import Path
from threading import Barrier

import pytest

from schemas.errors import Fatal
from streams.inference.chat import ChatAnswer, ChatRequest, as_messages
from streams.judge.verdict_store import VerdictStore, request_key

REQUEST = ChatRequest(messages=as_messages([("user", "A or B?")]), max_tokens=8)


def test_the_first_answer_stays(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "verdicts.sqlite"
    first, second = (ChatAnswer(text=text, model="m") for text in ("A", "B"))
    with VerdictStore(path) as one, VerdictStore(path) as other:
        assert one.get("key") is None
        assert one.put("key", first) == first
        assert other.put("key", second) == first
    with VerdictStore(path) as again:
        assert again.get("key") == first


def test_the_key_covers_the_model_and_all_that_is_asked() -> None:
    longer = REQUEST.model_copy(update={"max_tokens": 9})
    keys = {request_key("m", REQUEST), request_key("n", REQUEST), request_key("m", longer)}
    assert len(keys) == 3
    assert request_key("m", REQUEST) == request_key("m", REQUEST.model_copy())


def test_a_damaged_file_stops_the_worker_with_a_sentence(tmp_path: Path) -> None:
    path = tmp_path / "verdicts.sqlite"
    path.write_bytes(b"this is no database" * 100)
    with pytest.raises(Fatal, match="move the file away"):
        VerdictStore(path)


def test_answers_are_in_the_file_before_the_call_returns(tmp_path: Path) -> None:
    path = tmp_path / "verdicts.sqlite"
    store = VerdictStore(path)
    store.put("key", ChatAnswer(text="A", model="m"))
    with sqlite3.connect(path) as beside:
        assert beside.execute("SELECT count(*) FROM verdicts").fetchone() == (1,)
    beside.close()
    store.close()


def test_closing_waits_for_other_threads_and_ends_them_with_a_sentence(tmp_path: Path) -> None:
    store = VerdictStore(tmp_path / "verdicts.sqlite")
    started = Barrier(9)

    def use(name: int) -> None:
        started.wait()
        for number in count():
            store.put(f"{name}-{number}", ChatAnswer(text="A", model="m"))

    with ThreadPoolExecutor(8) as threads:
        calls = [threads.submit(use, name) for name in range(8)]
        started.wait()
        store.close()
        for call in calls:
            with pytest.raises(Fatal):
                call.result()
