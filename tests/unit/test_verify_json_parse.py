"""JSON in answers: which block is the document, and what strict reading refuses."""

import pytest

from streams.verify.extracted import extract_json
from streams.verify.fenced_blocks import fenced_blocks, without_blocks
from streams.verify.json_parse import MAX_CHARACTERS, MAX_DEPTH, JsonInvalid, parse_json


@pytest.mark.parametrize(
    ("answer", "text", "rule"),
    [
        ('{"a": 1}', '{"a": 1}', "whole_text"),
        ("Here:\n```json\n[1]\n```\nand\n```json\n[2]\n```", "[1]", "json_fence"),
        ("```\n[1]\n```\n```JSON\n[2]\n```", "[2]", "json_fence"),
        ("~~~\n[1]\n~~~", "[1]", "plain_fence"),
        ("```python\nx\n```", "```python\nx\n```", "whole_text"),
        ("```json\n[1]", "[1]", "json_fence"),
        ("````json\n```\n[1]\n````", "```\n[1]", "json_fence"),
    ],
)
def test_the_document_is_found_by_rule(answer: str, text: str, rule: str) -> None:
    found = extract_json(answer)
    assert found is not None
    assert (found.text, found.rule) == (text, rule)


@pytest.mark.parametrize("answer", ["", " \n", "```json\n```", "```json\n \n```"])
def test_an_empty_document_is_none(answer: str) -> None:
    assert extract_json(answer) is None


def test_a_fence_is_closed_by_its_own_mark() -> None:
    blocks = fenced_blocks("```a\n~~~\n````\n ``` \nout\n~~~b\nin\n~~~")
    assert [(block.label, block.body) for block in blocks] == [("a", "~~~\n````\n"), ("b", "in\n")]


@pytest.mark.parametrize(
    ("text", "expected", "rest"),
    [
        ("Sure:```sql\nSELECT 1\n```\nIt is 1.", [("sql", "SELECT 1\n")], "Sure:\nIt is 1."),
        ("Sure:```\nSELECT 1\n```", [("", "SELECT 1\n")], "Sure:"),
        ("```sql\nSELECT 1```\nIt is 1.", [("sql", "SELECT 1")], "It is 1."),
        ("```sql\nSELECT 1\n``` It is 1.", [("sql", "SELECT 1\n")], "It is 1."),
        ("```md\n```sql\nSELECT 1\n```", [("md", "```sql\nSELECT 1\n")], ""),
        ("~~~sql\nSELECT 1~~~\n~~~", [("sql", "SELECT 1~~~\n")], ""),
        ("````py\nx = 1```\n````", [("py", "x = 1```\n")], ""),
        ("call ```f()``` then", [], "call ```f()``` then"),
        ("call ```f()```", [], "call ```f()```"),
        ("use ``` to fence", [], "use ``` to fence"),
    ],
)
def test_a_fence_at_the_end_of_a_line_is_one(
    text: str, expected: list[tuple[str, str]], rest: str
) -> None:
    """As models write it; read by CommonMark, the closing mark would open a block of prose."""
    assert [(block.label, block.body) for block in fenced_blocks(text)] == expected
    assert without_blocks(text) == rest


@pytest.mark.parametrize(
    "hostile",
    [
        "`" * 10**6,
        "```" + " " * 10**6,
        "```\n" * 10**5,
        "a" + "`" * 10**6 + "sql",
        "```sql\n" + "`" * 10**6,
        "```sql\n" + "x```x " * 10**5,
    ],
)
def test_a_megabyte_of_fences_is_read_in_one_pass(hostile: str) -> None:
    """Quadratic work on these would take minutes to hours: the test would not end."""
    assert len(fenced_blocks(hostile)) <= 10**5


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ('{"a": 1, "a": 1}', "'a' stands twice"),
        ('[{"b": {"a": 1, "c": 2, "a": 3}}]', "'a' stands twice"),
        ("NaN", "NaN is no JSON number"),
        ("[-Infinity]", "-Infinity is no JSON number"),
        ("[1e400]", "1e400 is too large"),
        ("[-1e400]", "-1e400 is too large"),
        ("1 2", "Extra data"),
        ("{} // done", "Extra data"),
        ("[1,]", "line 1"),
        ("{'a': 1}", "double quotes"),
        ("01", "Extra data"),
        ("+1", "Expecting value"),
        ("﻿{}", "Unexpected UTF-8 BOM"),
        ('"\t"', "control character"),
        ('"\\ud800"', "lone surrogate"),
        ('{"\\udfff": 1}', "lone surrogate"),
        ('["\ud800"]', "lone surrogate"),
        ("[" * (MAX_DEPTH + 1), "nested deeper"),
        ('{"a":' * 100_000, "limit"),
        ("9" * 401, "a number of 401 characters"),
        ("0." + "9" * 400, "a number of 402 characters"),
        ("9" * 10**6, "1000000 characters"),
        ('"' + "a" * MAX_CHARACTERS + '"', "the limit is"),
        ('"' + '\\"' * 100_000, "Unterminated string"),
        ("", "Expecting value"),
    ],
)
def test_what_is_no_strict_json_is_refused_with_a_reason(text: str, reason: str) -> None:
    with pytest.raises(JsonInvalid, match=reason):
        parse_json(text)


def test_what_is_legal_is_read() -> None:
    assert parse_json(' {"a": [1, 2.5e3, true, null, "\\ud83d\\ude00 [{"]}\n') == {
        "a": [1, 2500.0, True, None, "😀 [{"]
    }
    assert parse_json("[" * MAX_DEPTH + "]" * MAX_DEPTH)
    assert parse_json("9" * 400) == int("9" * 400)
    assert parse_json('"[[[[" ') == "[[[["
