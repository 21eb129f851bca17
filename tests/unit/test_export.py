"""Rows for TRL: the first of an id, whole files only."""

import json
from pathlib import Path
from typing import Any

import pytest

from consumers.export import Export, export_preferences
from consumers.export_rows import Format, rows_of
from schemas.errors import ConfigError, Fatal
from schemas.events import Preference
from schemas.records import Message, PreferenceSource
from tests.events import NOON, QUESTION, completion
from tests.full_disk import room_for

TEXTS = ("prompt", "chosen", "rejected")


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
    ((_, rows),) = export.pairs([preference()])
    assert len(rows) == 2
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
    rows = [row for _, rows in export.pairs(events) for row in rows]
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
    export_preferences([preference()], out)
    assert [json.loads(line)["chosen"][0]["content"] for line in out.read_text().splitlines()] == [
        "Zwölf."
    ]

    def broken() -> Any:
        yield preference()
        raise RuntimeError("broker away")

    before = out.read_text()
    with pytest.raises(RuntimeError):
        export_preferences(broken(), out, format_=Format.OPENAI)
    assert out.read_text() == before
    assert list(tmp_path.iterdir()) == [out]


def test_a_folder_that_is_not_there_is_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="choose a folder"):
        export_preferences([], tmp_path / "missing" / "pairs.jsonl")


def test_a_full_disk_is_a_sentence_and_leaves_nothing(tmp_path: Path) -> None:
    rows = [preference(event_id=f"p{n}") for n in range(200)]
    with room_for(10_000), pytest.raises(Fatal, match="no room to write"):
        export_preferences(rows, tmp_path / "pairs.jsonl")
    assert list(tmp_path.iterdir()) == []


def test_the_tags_of_rows_that_have_no_room_for_them_stand_beside_them(tmp_path: Path) -> None:
    out = tmp_path / "pairs.jsonl"
    rows = [preference(), preference(event_id="p2", source=PreferenceSource.HUMAN, margin=None)]
    export_preferences([*rows, rows[0]], out, format_=Format.OPENAI)
    assert len(out.read_text().splitlines()) == 2
    tags = [json.loads(line) for line in (tmp_path / "pairs.tags.jsonl").read_text().splitlines()]
    (tagged,) = rows_of(rows[1], Format.TRL)
    assert tags[1] == {name: tagged[name] for name in tagged.keys() - set(TEXTS)}
    assert [(one["source"], one["margin"]) for one in tags] == [("RLAIF", 1.5), ("HUMAN", None)]
