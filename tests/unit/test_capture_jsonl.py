"""What an import file gives: events, and for every bad line a named error with its bytes."""

import hashlib
import json
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

import pytest

from schemas.codec import Codec
from schemas.errors import ConfigError
from schemas.events import MAX_TEXT_BYTES, CandidateSet, Completion
from schemas.ids import captured_id, prompt_id
from schemas.records import ExpectationKind, Message, Origin, Purpose
from streams.capture.jsonl_import import Imported, LineError, read_jsonl, to_dead_letter
from streams.capture.jsonl_line import MAX_LINE_BYTES

GOOD = b'{"prompt": "How many?", "output": "12"}'


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "in.jsonl"


def read(file: Path, *lines: bytes | Mapping[str, object]) -> list[Imported]:
    raw = [one if isinstance(one, bytes) else json.dumps(one).encode() for one in lines]
    file.write_bytes(b"\n".join(raw) + b"\n")
    return list(read_jsonl(file, "shop"))


def refused(file: Path, line: bytes | Mapping[str, object]) -> LineError:
    """The error of a bad line, with a good line behind it that must still be read."""
    error, after = read(file, line, GOOD)
    assert isinstance(error, LineError)
    assert isinstance(after, Completion)
    assert str(error).startswith(f"{file}:1: {error.reason}: ")
    return error


def test_the_least_row_is_a_prompt_and_an_answer(file: Path) -> None:
    (event,) = read(file, GOOD)
    assert isinstance(event, Completion)
    assert event.messages == (Message(role="user", content="How many?"),)
    assert (event.output, event.model, event.origin) == ("12", "unknown", Origin.IMPORT)
    assert event.prompt_id == prompt_id("shop", [("user", "How many?")])
    assert event.occurred_at == datetime.fromtimestamp(file.stat().st_mtime, UTC)


def test_every_field_of_a_completion_arrives(file: Path) -> None:
    row = {
        "id": "req-1", "messages": [{"role": "system", "content": "Be brief."},
                                    {"role": "user", "content": "How many?"}],
        "response": "12", "model": "gpt", "checkpoint": "sha", "temperature": 1, "top_p": 0.5,
        "seed": 3, "finish_reason": "length", "input_tokens": 4, "output_tokens": 5,
        "cost_usd": 0.1, "latency_ms": 20.5, "user_hash": "u", "origin": "PRODUCTION",
        "tags": ["a"], "slice": "eu", "occurred_at": "2026-11-01T12:00:00+01:00",
        "context": [{"source": "faq", "text": "t"}],
        "expectations": [{"kind": "GOLDEN_SQL", "spec": "SELECT 1", "params": {"db": "x"}}],
    }  # fmt: skip
    (event,) = read(file, row)
    assert isinstance(event, Completion)
    assert event.event_id == captured_id("shop", "req-1")
    assert event.occurred_at == datetime(2026, 11, 1, 11, tzinfo=UTC)
    assert event.expectations[0].kind is ExpectationKind.GOLDEN_SQL
    taken = {"id", "response", "occurred_at", "messages", "context", "expectations"}
    dumped = event.model_dump(mode="json")
    assert {name: dumped[name] for name in row.keys() - taken} == {
        name: row[name] for name in row.keys() - taken
    }


def test_several_answers_make_a_set(file: Path) -> None:
    texts, objects = read(
        file,
        {"prompt": "p", "outputs": ["a", "b"], "model": "m"},
        {"prompt": "p", "purpose": "ANCHOR", "candidates": [
            {"output": "a", "model": "x", "id": "1"}, {"completion": "b", "temperature": 0.5}]},
    )  # fmt: skip
    assert isinstance(texts, CandidateSet)
    assert isinstance(objects, CandidateSet)
    assert [(c.output, c.model) for c in texts.candidates] == [("a", "m"), ("b", "m")]
    assert texts.purpose is Purpose.PRODUCTION
    assert objects.purpose is Purpose.ANCHOR
    assert objects.candidates[0].completion_id == captured_id("shop", "1")
    ids = [c.completion_id for made in (texts, objects) for c in made.candidates]
    assert len(set(ids)) == 4


def test_a_set_of_one_is_a_set(file: Path) -> None:
    (event,) = read(file, {"prompt": "p", "outputs": ["only"]})
    assert isinstance(event, CandidateSet)


def test_the_same_file_gives_the_same_ids_and_another_workload_others(file: Path) -> None:
    first = read(file, GOOD, GOOD)
    ids = [event.event_id for event in first if isinstance(event, Completion)]
    assert len(set(ids)) == 2
    assert first == list(read_jsonl(file, "shop"))
    others = [event for event in read_jsonl(file, "bank") if isinstance(event, Completion)]
    assert not {event.event_id for event in others} & set(ids)


@pytest.mark.parametrize(
    ("line", "reason", "says"),
    [
        (b'{"prompt": "p", "output": ', "malformed_json", "one object a line"),
        (b"{" * 100_000, "malformed_json", "one object a line"),
        (
            b'{"prompt": "p", "output": "a", "seed": ' + b"9" * 5000 + b"}",
            "malformed_json",
            "digit",
        ),
        (
            b'{"prompt": "p", "output": "a", "output": "b"}',
            "malformed_json",
            "'output' stands twice",
        ),
        (b'{"prompt": "p", "output": "\\ud800"}', "malformed_json", "hex escape"),
        (b'["p", "a"]', "not_an_object", "list"),
        (b'{"prompt": "p", "output": "\xff"}', "invalid_utf8", "byte 28 (0xff)"),
        (b'{"prompt": "p", "output": "a", "temperature": NaN}', "not_a_number", "NaN"),
        (b'{"prompt": "p", "output": "a", "temperature": -Infinity}', "not_a_number", "Infinity"),
        (b'{"prompt": "p", "output": "a", "temperature": 1e999}', "not_a_number", "temperature"),
        (
            {"prompt": "p", "output": "a", "temprature": 1},
            "unknown_field",
            "did you mean temperature",
        ),
        ({"prompt": "p", "output": "a", "zzz": 1}, "unknown_field", "remove it"),
        ({"prompt": "p", "output": "a", "completion": "b"}, "unknown_field", "given twice"),
        (
            {"prompt": "p", "candidates": [{"output": "a", "x": 1}]},
            "unknown_field",
            "candidates.0.x",
        ),
        ({"prompt": "p"}, "missing_field", "output is missing"),
        ({"output": "a"}, "missing_field", "`messages` or `prompt`"),
        (
            {"prompt": "p", "messages": [{"role": "user", "content": "p"}], "output": "a"},
            "invalid_value",
            "keep one",
        ),
        (
            {"prompt": "p", "outputs": ["a"], "candidates": [{"output": "b"}]},
            "invalid_value",
            "keep one",
        ),
        ({"prompt": "p", "output": "a", "temperature": "0.7"}, "invalid_value", "temperature"),
        ({"prompt": "p", "output": "a", "seed": 2**63}, "invalid_value", "seed"),
        ({"prompt": "p", "output": "a", "origin": "MARS"}, "invalid_value", "origin"),
        (
            {"prompt": "p", "output": "a", "occurred_at": "2026-11-01T12:00:00"},
            "invalid_value",
            "timezone",
        ),
        ({"prompt": "p", "output": 12}, "invalid_value", "output"),
        ({"prompt": "p", "output": "a", "id": ""}, "invalid_value", "id"),
        ({"prompt": " ", "output": "a"}, "empty_prompt", "no text"),
        ({"messages": [], "output": "a"}, "empty_prompt", "no text"),
        ({"prompt": "p", "output": " \n"}, "empty_completion", "output"),
        ({"prompt": "p", "outputs": ["a", ""]}, "empty_completion", "answer 2"),
        ({"prompt": "p", "outputs": []}, "empty_set", "no answers"),
        (
            {"prompt": "p", "candidates": [{"id": "1", "output": "a"}, {"id": "1", "output": "a"}]},
            "contradictory_duplicate",
            "an id each",
        ),
        (
            {"prompt": "p", "output": "é" * (MAX_TEXT_BYTES // 2 + 1)},
            "text_too_large",
            "1,048,578 bytes",
        ),
        ({"prompt": "p" * (MAX_TEXT_BYTES + 1), "output": "a"}, "text_too_large", "message 1"),
    ],
)
def test_a_bad_line_is_named_and_reading_goes_on(
    file: Path, line: bytes | Mapping[str, object], reason: str, says: str
) -> None:
    error = refused(file, line)
    assert error.reason == reason
    assert says in error.problem


def test_a_text_of_exactly_the_limit_is_read(file: Path) -> None:
    (event,) = read(file, {"prompt": "p", "output": "a" * MAX_TEXT_BYTES})
    assert isinstance(event, Completion)


def test_a_line_beyond_memory_keeps_its_head_hash_and_length(file: Path) -> None:
    line = b'{"prompt": "' + b"x" * (MAX_LINE_BYTES + 10)
    error = refused(file, line)
    assert error.reason == "line_too_large"
    letter = to_dead_letter(error)
    assert letter.value == line[: len(letter.value)]
    assert letter.value_sha256 == hashlib.sha256(line).hexdigest()
    assert letter.value_bytes == len(line)


def test_blank_lines_a_byte_order_mark_and_windows_line_ends_are_no_errors(file: Path) -> None:
    file.write_bytes(b"\xef\xbb\xbf" + GOOD + b"\r\n\r\n  \n" + GOOD)
    first, last = read_jsonl(file, "shop")
    assert isinstance(first, Completion)
    assert isinstance(last, Completion)


def test_the_later_of_two_contents_of_one_id_is_an_error(file: Path) -> None:
    row = {"id": "1", "prompt": "p", "output": "a"}
    first, again, other = read(file, row, row, row | {"output": "b"})
    assert isinstance(first, Completion)
    assert again == first
    assert isinstance(other, LineError)
    assert other.reason == "contradictory_duplicate"
    assert "line 1 has the same id" in other.problem


def test_candidates_of_unlike_sets_cannot_share_an_id(file: Path) -> None:
    _, other = read(
        file,
        {"prompt": "p", "candidates": [{"id": "1", "output": "a"}]},
        {"prompt": "p", "candidates": [{"id": "1", "output": "b"}]},
    )
    assert isinstance(other, LineError)
    assert other.reason == "contradictory_duplicate"


def test_a_dead_letter_carries_the_bytes_and_the_place(file: Path) -> None:
    _, error = read(file, GOOD, b'{"prompt": "\xff"}')
    assert isinstance(error, LineError)
    letter = to_dead_letter(error)
    assert letter.value == b'{"prompt": "\xff"}'
    assert (letter.partition, letter.offset, letter.retryable) == (0, 2, False)
    assert letter.error_class == "invalid_utf8"
    assert f"{file}:2: invalid_utf8" in letter.message
    assert Codec().decode(Codec().encode(letter)) == letter
    assert to_dead_letter(error) == letter


def test_a_file_that_is_not_there_names_the_remedy(tmp_path: Path) -> None:
    for path in (tmp_path / "nowhere.jsonl", tmp_path):
        with pytest.raises(ConfigError, match="name a JSON Lines file"):
            list(read_jsonl(path, "shop"))
