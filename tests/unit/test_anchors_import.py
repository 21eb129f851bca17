"""Files of anchors: ours and LMArena's, back and forth, and what is wrong with a bad one."""

import json
from pathlib import Path
from typing import Any

import pytest

from consumers.anchors.export_file import anchor_rows
from consumers.anchors.import_file import AnchorImport, ImportedAnchors, import_anchors
from consumers.calibration.adjudicate import adjudicate_all
from schemas.errors import ConfigError
from schemas.records import HumanWinner, LabelRole, Purpose

WANTED = AnchorImport(workload_id="shop", rubric_id="shop/1")
TWO = [{"annotator": "ann", "winner": "A"}, {"annotator": "bob", "winner": "A"}]
ROW: dict[str, Any] = {"prompt": "How much?", "a": "12.", "b": "About 12.", "labels": TWO}
ARENA: dict[str, Any] = {
    "question_id": 17,
    "model_a": "x",
    "model_b": "y",
    "winner": "model_b",
    "judge": "user 7",
    "conversation_a": [{"role": "user", "content": "Hi"}, {"role": "assistant", "content": "Yo"}],
    "conversation_b": [{"role": "user", "content": "Hi"}, {"role": "assistant", "content": "Hey"}],
    "turn": 1,
    "language": "English",
    "tstamp": 1.5,
}


def write(folder: Path, *rows: Any) -> Path:
    file = folder / "anchors.jsonl"
    lines = (row if isinstance(row, str) else json.dumps(row) for row in rows)
    file.write_text("\n".join(lines), encoding="utf-8")
    return file


def load(folder: Path, *rows: Any, **changes: Any) -> ImportedAnchors:
    wanted = AnchorImport(**{**WANTED.__dict__, **changes})
    return import_anchors(write(folder, *rows), wanted)


def winners(found: ImportedAnchors) -> list[HumanWinner | None]:
    return [one.winner for one in adjudicate_all(found.labels).values()]


def test_two_labels_that_agree_decide_an_anchor(tmp_path: Path) -> None:
    found = load(tmp_path, ROW)
    (one,) = found.comparisons
    assert (one.purpose, one.rubric_id, one.workload_id) == (Purpose.ANCHOR, "shop/1", "shop")
    assert (one.a.candidate.output, one.messages[0].content) == ("12.", "How much?")
    assert winners(found) == [HumanWinner.A]


def test_the_same_file_gives_the_same_events(tmp_path: Path) -> None:
    file = write(tmp_path, ROW)
    assert import_anchors(file, WANTED) == import_anchors(file, WANTED)


def test_a_winner_is_one_persons_unless_it_is_said_to_be_final(tmp_path: Path) -> None:
    row = {"prompt": "How much?", "a": "12.", "b": "13.", "winner": "B"}
    assert winners(load(tmp_path, row)) == [None]
    assert winners(load(tmp_path, row, adjudicated=True)) == [HumanWinner.B]


def test_lmarena_is_read_as_it_is(tmp_path: Path) -> None:
    found = load(tmp_path, ARENA)
    (one,), (label,) = found.comparisons, found.labels
    assert (one.a.candidate.model, one.b.candidate.output, one.slice) == ("x", "Hey", "English")
    assert (label.annotator, label.winner, label.role) == ("user 7", "B", LabelRole.LABEL)
    bad = load(tmp_path, ARENA | {"winner": "tie (bothbad)"})
    assert bad.labels[0].winner is HumanWinner.BOTH_BAD


def test_what_is_exported_is_imported_again(tmp_path: Path) -> None:
    ruled = ROW | {"prompt": "How many?", "labels": [TWO[0], {"annotator": "bob", "winner": "B"}]}
    ruled["labels"].append({"annotator": "eve", "winner": "TIE", "role": "ADJUDICATION"})
    first = load(tmp_path, ROW | {"model_a": "x"}, ruled)
    rows = [
        row.model_dump_json(exclude_none=True)
        for row in anchor_rows(first.comparisons, first.labels)
    ]
    again = load(tmp_path, *rows)
    assert [one.event_id for one in again.comparisons] == [
        one.event_id for one in first.comparisons
    ]
    assert {one.event_id for one in again.labels} == {one.event_id for one in first.labels}
    assert winners(again) == winners(first) == [HumanWinner.A, HumanWinner.TIE]


def test_of_a_prompts_pairs_the_first_may_be_taken(tmp_path: Path) -> None:
    found = load(tmp_path, ROW, ROW | {"b": "Thirteen."}, first_of_prompt=True)
    assert (len(found.comparisons), found.left_out) == (1, 1)


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        ([ROW, ROW], "line 2: the prompt stands in line 1 already"),
        ([ROW, ROW | {"prompt": " How  much? "}], "line 2: the prompt stands in line 1 already"),
        (
            [
                ROW
                | {
                    "labels": [
                        {"annotator": "eve", "winner": "A", "role": "ADJUDICATION"},
                        {"annotator": "zoe", "winner": "B", "role": "ADJUDICATION"},
                    ]
                }
            ],
            "line 1: it is adjudicated as A and as B",
        ),
        ([ROW | {"labels": [TWO[0], TWO[0]]}], "'ann' gives label twice"),
        ([ROW | {"winner": "C"}], "line 1: winner"),
        ([ROW | {"b": "12. "}], "the same text"),
        ([ROW | {"b": ""}], "line 1: b:"),
        ([ROW | {"messages": []}], "either prompt or messages"),
        ([{"a": "1", "b": "2"}], "either prompt or messages"),
        ([ROW | {"sclie": "x"}], "sclie"),
        (['{"prompt": '], "line 1"),
        (["[1]"], "line 1: a row is an object"),
        (["[" * 100_000], "line 1"),
        ([""], "holds no anchor"),
        ([ARENA | {"winner": "left"}], "winner 'left' is none of"),
        (
            [
                ARENA
                | {
                    "conversation_b": [
                        {"role": "user", "content": "Ho"},
                        ARENA["conversation_b"][1],
                    ]
                }
            ],
            "the conversations part before their last answers",
        ),
    ],
)
def test_a_bad_file_is_told_where_and_what(tmp_path: Path, rows: list[Any], said: str) -> None:
    file = write(tmp_path, *rows)
    with pytest.raises(ConfigError) as raised:
        import_anchors(file, WANTED)
    assert said in str(raised.value)
    assert str(file) in str(raised.value)


def test_a_missing_file_is_told(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="cannot be read"):
        import_anchors(tmp_path / "none.jsonl", WANTED)
