"""Rows for TRL: the first of an id, whole files only."""

import json
from pathlib import Path
from typing import Any

import pytest

from consumers.export import Export, write_lines
from consumers.export_rows import Format, Row, rows_of
from schemas.errors import ConfigError
from schemas.events import Preference
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


def test_a_row_is_what_trl_calls_conversational_preference() -> None:
    (row,) = rows_of(preference(), Format.TRL)
    assert row["prompt"] == [{"role": "user", "content": "How much did we sell?"}]
    assert row["chosen"] == [{"role": "assistant", "content": "Zwölf."}]
    assert row["rejected"] == [{"role": "assistant", "content": "Many."}]
    assert (row["source"], row["margin"], row["teacher_model"]) == ("RLAIF", 1.5, "judge")


def test_kto_rows_are_unpaired() -> None:
    good, bad = rows_of(preference(), Format.KTO)
    assert (good["completion"][0]["content"], good["label"]) == ("Zwölf.", True)
    assert (bad["completion"][0]["content"], bad["label"]) == ("Many.", False)
    assert good["prompt"] == bad["prompt"]


@pytest.mark.parametrize(("margin", "written"), [(1.5, 1.5), (-2.0, 2.0), (None, 0.0)])
def test_every_reward_row_has_a_margin(margin: float | None, written: float) -> None:
    (row,) = rows_of(preference(margin=margin), Format.REWARD)
    assert row["margin"] == written


@pytest.mark.parametrize(("margin", "distance"), [(1.5, 1.5), (-2.0, 2.0), (None, 1.0)])
def test_ultrafeedback_rows_hold_the_prompt_and_scores(
    margin: float | None, distance: float
) -> None:
    (row,) = rows_of(preference(margin=margin), Format.ULTRAFEEDBACK)
    assert [turn["role"] for turn in row["chosen"]] == ["user", "assistant"]
    assert row["messages"] == row["chosen"]
    assert row["rejected"][-1]["content"] == "Many."
    assert row["prompt"] == "How much did we sell?"
    assert row["score_chosen"] - row["score_rejected"] == distance
    assert row["source"] == "RLAIF"


def test_openai_rows_have_no_field_that_it_does_not_know() -> None:
    (row,) = rows_of(preference(), Format.OPENAI)
    assert set(row) == {"input", "preferred_output", "non_preferred_output"}
    assert row["input"]["messages"][0]["role"] == "user"
    assert row["preferred_output"][0]["content"] == "Zwölf."


def test_a_pair_of_two_rows_is_one_pair() -> None:
    export = Export(format_=Format.KTO)
    assert len(list(export.rows([preference()]))) == 2
    assert (export.report().pairs, export.report().rows) == (1, 2)


def test_the_first_of_an_id_wins_and_what_is_left_out_is_counted() -> None:
    export = Export(sources=(PreferenceSource.RLAIF,), workload_id="shop")
    events = [
        preference(),
        preference(margin=-9.0),
        preference(event_id="p2", source=PreferenceSource.THUMBS),
        preference(event_id="p2"),
        preference(event_id="p3", workload_id="other"),
        None,
        completion(),
    ]
    rows = list(export.rows(events))
    assert [(row["event_id"], row["margin"]) for row in rows] == [("p1", 1.5)]
    assert export.report().model_dump() == {
        "pairs": 1,
        "rows": 1,
        "by_source": {"RLAIF": 1},
        "repeated": 2,
        "filtered": 2,
        "undecodable": 2,
    }


def test_a_file_is_replaced_whole_or_not_at_all(tmp_path: Path) -> None:
    out = tmp_path / "pairs.jsonl"
    write_lines(out, rows_of(preference(), Format.TRL))
    assert [json.loads(line)["chosen"][0]["content"] for line in out.read_text().splitlines()] == [
        "Zwölf."
    ]

    def broken() -> Any:
        yield from rows_of(preference(), Format.TRL)
        raise RuntimeError("broker away")

    before = out.read_text()
    with pytest.raises(RuntimeError):
        write_lines(out, broken())
    assert out.read_text() == before
    assert list(tmp_path.iterdir()) == [out]


def test_a_folder_that_is_not_there_is_a_sentence(tmp_path: Path) -> None:
    rows: list[Row] = []
    with pytest.raises(ConfigError, match="choose a folder"):
        write_lines(tmp_path / "missing" / "pairs.jsonl", rows)
