"""`prefstream verify json`, `number`, `code`: lines in, verdicts out in order, exit by result."""

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from cli.main import app
from schemas.errors import ConfigError


def run(*arguments: str) -> Result:
    return CliRunner().invoke(app, ["verify", *arguments])


def write(folder: Path, *rows: Any) -> str:
    path = folder / "answers.jsonl"
    path.write_text("\n".join(row if isinstance(row, str) else json.dumps(row) for row in rows))
    return str(path)


def verdicts(result: Result) -> list[dict[str, Any]]:
    return [json.loads(line) for line in result.stdout.splitlines()]


def test_numbers(tmp_path: Path) -> None:
    source = write(
        tmp_path,
        {"id": "a", "output": "It is 5 km.", "expected": "5000 m"},
        "",
        {"id": 2, "output": "[3, 1]", "expected": "1,3", "kind": "list", "extract": "whole"},
        {"output": r"\boxed{(x+1)^2}", "expected": "x^2+2x+1", "kind": "expression"},
        {"id": "d", "output": "5", "expected": "five"},
        {"id": "e", "output": "1.1", "expected": 1, "absolute": 0.2, "unit": None},
    )
    result = run("number", "--in", source, "--json")
    assert result.exit_code == 1
    found = verdicts(result)
    assert [(row["id"], row["status"], row["score"]) for row in found] == [
        ("a", "PASS", 1.0),
        ("2", "FAIL", 0.0),
        ("4", "PASS", 1.0),
        ("d", "ERROR", None),
        ("e", "PASS", 1.0),
    ]
    assert set(found[0]) == {"id", "status", "score", "reason", "ms"}
    assert "'five' is no number" in found[3]["reason"]
    assert "3 of 5 pass" in result.stderr


def test_json(tmp_path: Path) -> None:
    schema = tmp_path / "schema.json"
    schema.write_text('{"type": "object", "required": ["a"]}')
    source = write(
        tmp_path,
        {"id": "a", "output": '```json\n{"a": 1}\n```'},
        {"id": "b", "output": '{"a": 1, "b": [2, 3]}', "reference": {"a": 1, "b": [3, 2]}},
        {
            "id": "c",
            "output": '{"a": 1, "b": [2, 3]}',
            "reference": {"a": 1, "b": [3, 2]},
            "rules": {"/b": "set"},
        },
        {"id": "d", "output": "{}"},
        {"id": "e", "output": "{"},
    )
    result = run("json", "--schema", str(schema), "--in", source, "--json")
    assert result.exit_code == 1
    found = verdicts(result)
    assert [(row["id"], row["status"]) for row in found] == [
        ("a", "PASS"),
        ("b", "FAIL"),
        ("c", "PASS"),
        ("d", "FAIL"),
        ("e", "FAIL"),
    ]
    assert found[1]["score"] == pytest.approx(1 / 3)
    assert found[2]["score"] == 1
    assert "json_schema: $: 'a' is a required property" in found[3]["reason"]


def test_code(tmp_path: Path) -> None:
    tests = "assert add(1, 2) == 3\nassert add(2, 2) == 4"
    source = write(
        tmp_path,
        {"id": "a", "output": "```python\ndef add(a, b):\n    return a + b\n```", "tests": tests},
        {"id": "b", "output": "def add(a, b):\n    return 3", "tests": tests},
    )
    result = run("code", "--in", source, "--json")
    assert result.exit_code == 1
    found = verdicts(result)
    assert [(row["id"], row["status"], row["score"]) for row in found] == [
        ("a", "PASS", 1.0),
        ("b", "FAIL", 0.5),
    ]


def test_tests_that_cannot_be_read_are_named(tmp_path: Path) -> None:
    result = run("code", "--in", write(tmp_path, {"output": "x = 1", "tests": "assert ("}))
    assert isinstance(result.exception, ConfigError)
    assert "answers.jsonl:1: the tests: " in str(result.exception)


def test_all_passing_is_exit_code_0_also_as_text(tmp_path: Path) -> None:
    source = write(tmp_path, {"id": "a", "output": "5", "expected": "5"})
    result = run("number", "--in", source)
    assert result.exit_code == 0
    assert result.stdout.startswith("a\tPASS\t1\t")


def test_more_lines_than_are_checked_at_a_time_come_out_in_order(tmp_path: Path) -> None:
    rows = [{"id": str(n), "output": str(n), "expected": str(n)} for n in range(100)]
    result = run("number", "--in", write(tmp_path, *rows), "--json")
    assert result.exit_code == 0
    assert [row["id"] for row in verdicts(result)] == [str(n) for n in range(100)]


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("{", "not JSON"),
        ("[]", "no object"),
        ('{"id": "a", "expected": "1"}', "output is None"),
        ('{"id": [], "output": "1", "expected": "1"}', r"id is \[\]"),
        ('{"id": "a", "output": "1"}', "expected is None"),
        ('{"id": "a", "output": "1", "expected": true}', "expected is True"),
        ('{"id": "a", "output": "1", "expected": "1", "knd": "list"}', "unknown field knd"),
        ('{"id": "a", "output": "1", "expected": "1", "kind": "lst"}', "kind is 'lst'"),
    ],
)
def test_a_bad_line_is_named_by_its_number(tmp_path: Path, line: str, reason: str) -> None:
    source = write(tmp_path, {"id": "a", "output": "1", "expected": "1"}, "", line)
    result = run("number", "--in", source)
    assert isinstance(result.exception, ConfigError)
    with pytest.raises(ConfigError, match=rf"answers\.jsonl:3: .*{reason}"):
        raise result.exception


@pytest.mark.parametrize("text", ['{"type": "strin"}', "{", '{"$ref": "http://a.example"}'])
def test_a_schema_that_cannot_be_used_is_named(tmp_path: Path, text: str) -> None:
    schema = tmp_path / "schema.json"
    schema.write_text(text)
    result = run("json", "--schema", str(schema), "--in", write(tmp_path, {"output": "1"}))
    assert isinstance(result.exception, ConfigError)
    assert str(result.exception).startswith(f"{schema}: ")


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    result = run("number", "--in", str(tmp_path / "none.jsonl"))
    assert isinstance(result.exception, ConfigError)
    assert "none.jsonl" in str(result.exception)
