"""Rows for TRL: the first of an id, whole files only."""

import json
from pathlib import Path
from typing import Any

import pytest

from consumers.export import Export, TrlRow, trl_row, write_lines
from infra.topic_log import LoggedEvent
from schemas.errors import ConfigError
from schemas.events import Event, Preference
from schemas.records import Message, PreferenceSource
from tests.events import NOON, QUESTION, completion


def preference(**changes: Any) -> Preference:
    fields: dict[str, Any] = {
        "event_id": "p1",
        "occurred_at": NOON,
        "workload_id": "shop",
        "config_hash": "f",
        "prompt_id": "prompt-1",
        "prompt": QUESTION,
        "chosen": (Message(role="assistant", content="Zwölf."),),
        "rejected": (Message(role="assistant", content="Many."),),
        "chosen_id": "a",
        "rejected_id": "b",
        "source": PreferenceSource.RLAIF,
        "rubric_version": "1",
        "teacher_model": "judge",
        "judge_config_hash": "jc",
        "margin": 1.5,
        "chosen_length": 6,
        "rejected_length": 5,
    }
    return Preference(**(fields | changes))


def logged(event: Event | None, offset: int = 0) -> LoggedEvent:
    return LoggedEvent(
        topic="preferences",
        partition=0,
        offset=offset,
        key=None,
        value=b"",
        event=event,
        error=None,
    )


def test_a_row_is_what_trl_calls_conversational_preference() -> None:
    row = trl_row(preference())
    assert row["prompt"] == [{"role": "user", "content": "How much did we sell?"}]
    assert row["chosen"] == [{"role": "assistant", "content": "Zwölf."}]
    assert row["rejected"] == [{"role": "assistant", "content": "Many."}]
    assert (row["source"], row["margin"], row["teacher_model"]) == ("RLAIF", 1.5, "judge")


def test_the_first_of_an_id_wins_and_what_is_left_out_is_counted() -> None:
    export = Export(sources=(PreferenceSource.RLAIF,), workload_id="shop")
    events = [
        logged(preference()),
        logged(preference(margin=-9.0)),
        logged(preference(event_id="p2", source=PreferenceSource.THUMBS)),
        logged(preference(event_id="p2")),
        logged(preference(event_id="p3", workload_id="other")),
        logged(None),
        logged(completion()),
    ]
    rows = list(export.rows(events))
    assert [(row["event_id"], row["margin"]) for row in rows] == [("p1", 1.5)]
    assert export.report().model_dump() == {
        "rows": 1,
        "by_source": {"RLAIF": 1},
        "repeated": 2,
        "filtered": 2,
        "undecodable": 2,
    }


def test_a_file_is_replaced_whole_or_not_at_all(tmp_path: Path) -> None:
    out = tmp_path / "pairs.jsonl"
    write_lines(out, [trl_row(preference())])
    assert [json.loads(line)["chosen"][0]["content"] for line in out.read_text().splitlines()] == [
        "Zwölf."
    ]

    def broken() -> Any:
        yield trl_row(preference())
        raise RuntimeError("broker away")

    before = out.read_text()
    with pytest.raises(RuntimeError):
        write_lines(out, broken())
    assert out.read_text() == before
    assert list(tmp_path.iterdir()) == [out]


def test_a_folder_that_is_not_there_is_a_sentence(tmp_path: Path) -> None:
    rows: list[TrlRow] = []
    with pytest.raises(ConfigError, match="choose a folder"):
        write_lines(tmp_path / "missing" / "pairs.jsonl", rows)
