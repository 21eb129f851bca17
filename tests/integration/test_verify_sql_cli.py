"""`prefstream verify sql` as its user runs it."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.integration

SETUP = """
CREATE TABLE revenue (id INTEGER, region VARCHAR);
INSERT INTO revenue VALUES (1, 'north'), (2, 'south');
CREATE VIEW v_revenue_daily AS SELECT * FROM revenue;
"""


@pytest.fixture
def setup(tmp_path: Path) -> Path:
    script = tmp_path / "schema.sql"
    script.write_text(SETUP)
    return script


def verify(
    setup: Path, raw: bytes, *options: str, allow: str = "v_revenue_*"
) -> "subprocess.CompletedProcess[str]":
    source = setup.parent / "statements.jsonl"
    source.write_bytes(raw)
    command = [sys.executable, "-m", "cli.main", "verify", "sql", "--setup", str(setup)]
    command += ["--allow", allow, "--in", str(source), *options]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def lines(*statements: tuple[object, str]) -> bytes:
    rows = [json.dumps({"id": key, "sql": sql}) for key, sql in statements]
    return ("\n".join(rows) + "\n").encode()


def verdicts(done: "subprocess.CompletedProcess[str]") -> list[dict[str, Any]]:
    return [json.loads(line) for line in done.stdout.splitlines()]


@pytest.mark.parametrize("dialect", ["duckdb", "sqlite"])
def test_every_line_has_its_verdict_in_order(setup: Path, dialect: str) -> None:
    raw = lines(
        ("good", "SELECT region, count(*) FROM v_revenue_daily GROUP BY region -- each"),
        ("table", "SELECT * FROM revenue"),
        ("good", "SELECT id FROM v_revenue_daily"),
        (7, "SELECT nope FROM v_revenue_daily"),
        ("constant", "SELECT 2 FROM v_revenue_daily"),
        ("nul", "SELECT \0 FROM v_revenue_daily"),
        ("huge", "SELECT '" + "x" * 1_000_000 + "', id FROM v_revenue_daily"),
        ("empty", ""),
        ("late", "WITH RECURSIVE r(n) AS (SELECT id FROM v_revenue_daily UNION ALL SELECT n + 1 "
         "FROM r) SELECT max(n) FROM r"),
    )  # fmt: skip
    done = verify(setup, raw, "--json", "--dialect", dialect, "--wall-limit-s", "0.5")
    assert done.returncode == 1, done.stderr
    found = verdicts(done)
    assert all(list(each) == ["id", "accepted", "stage", "reason", "ms"] for each in found)
    assert [(each["id"], each["accepted"], each["stage"]) for each in found] == [
        ("good", True, "execution"),
        ("table", False, "gate"),
        ("good", True, "execution"),
        (7, False, "gate"),
        ("constant", False, "gate"),
        ("nul", False, "gate"),
        ("huge", False, "gate"),
        ("empty", False, "gate"),
        ("late", False, "execution"),
    ]
    assert "at character 14" in found[1]["reason"]
    assert found[8]["reason"].startswith("timeout")


def test_all_accepted_is_exit_code_0_and_a_summary(setup: Path) -> None:
    done = verify(setup, lines((1, "SELECT id FROM v_revenue_daily")))
    assert done.returncode == 0, done.stderr
    assert "1 statements: 1 accepted, 0 rejected" in done.stdout


def test_the_table_names_what_was_rejected(setup: Path) -> None:
    done = verify(setup, lines(("x[1]", "DROP TABLE revenue"), (2, "SELECT 1")))
    assert done.returncode == 1
    assert "x[1]" in done.stdout
    assert "2 statements: 0 accepted, 2 rejected (only_queries 1, constant_answer 1)" in (
        done.stdout
    )


def test_nothing_in_is_nothing_out(setup: Path) -> None:
    done = verify(setup, b"\n\n", "--json")
    assert (done.returncode, done.stdout) == (0, "")


def test_broken_utf8_in_a_statement_is_the_statements_fault(setup: Path) -> None:
    raw = b'{"id": 1, "sql": "SELECT \xff FROM v_revenue_daily"}\n'
    done = verify(setup, raw + lines((2, "SELECT id FROM v_revenue_daily")), "--json")
    assert [each["accepted"] for each in verdicts(done)] == [False, True]
    assert verdicts(done)[0]["reason"].startswith("not_text")


@pytest.mark.parametrize(
    ("line", "said"),
    [
        (b'{"id": 1, "sql": ', "not JSON"),
        (b'{"id": 1}', "no object with id and sql"),
        (b'["SELECT 1"]', "no object with id and sql"),
        (b'{"id": 1, "sql": 2}', "sql is not a text"),
        (b'{"id": [], "sql": "SELECT 1"}', "id is neither"),
        (b"[" * 100_000, "not JSON"),
    ],
)
def test_a_malformed_line_is_named(setup: Path, line: bytes, said: str) -> None:
    done = verify(setup, lines((1, "SELECT id FROM v_revenue_daily")) + line + b"\n", "--json")
    assert done.returncode == 78
    assert "statements.jsonl:2: " in done.stderr
    assert said in done.stderr
    assert "Traceback" not in done.stderr
    assert done.stdout == ""


def test_the_lines_go_to_a_file_whole(setup: Path, tmp_path: Path) -> None:
    out = tmp_path / "verdicts.jsonl"
    done = verify(setup, lines((1, "SELECT id FROM v_revenue_daily")), "--out", str(out))
    assert done.returncode == 0, done.stderr
    assert [json.loads(line)["id"] for line in out.read_text().splitlines()] == [1]
    assert not out.with_name(out.name + ".part").exists()


def test_nothing_allowed_is_said(setup: Path) -> None:
    done = verify(setup, lines((1, "SELECT 1")), allow="other_*")
    assert done.returncode == 78
    assert "other_*" in done.stderr


def test_a_script_that_fails_is_said(setup: Path) -> None:
    setup.write_text("CREATE TABLE t (")
    done = verify(setup, b"", "--json")
    assert done.returncode == 78
    assert f"{setup}: duckdb refuses the script" in done.stderr
    assert "Traceback" not in done.stderr
