"""What is wrong with the project's own side is an ERROR with its reason, and never a verdict."""

import os
import sqlite3
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import closing
from pathlib import Path

import duckdb
import pytest
import pytest_asyncio

from schemas.records import Check, CheckStatus, Expectation, ExpectationKind, Outcome
from streams.verify.settings import VerifySettings
from streams.verify.verifier import Verdict, Verifier

ANSWER = "SELECT name FROM people"


@pytest.fixture
def project(tmp_path: Path) -> Path:
    with closing(sqlite3.connect(tmp_path / "people.sqlite")) as connection, connection:
        connection.execute("CREATE TABLE people (name TEXT, age INTEGER, photo BLOB)")
        connection.execute("INSERT INTO people VALUES ('ann', 50, x'00ff'), ('bob', 40, NULL)")
    with duckdb.connect(str(tmp_path / "sales.duckdb")) as warehouse:
        warehouse.execute(
            "CREATE TABLE sales AS SELECT i AS id, [i, i + 1] AS parts, "
            "{'n': i, 't': [{'x': i}]} AS extra, i::VARCHAR::BLOB AS raw FROM range(50) t(i)"
        )
        warehouse.execute("CREATE VIEW v_dice AS SELECT random() AS x FROM range(5)")
    return tmp_path


@pytest_asyncio.fixture
async def verifier(project: Path) -> AsyncIterator[Verifier]:
    settings = {
        "databases": [
            {"name": "people", "path": "people.sqlite", "dialect": "sqlite"},
            {"name": "sales", "path": "sales.duckdb", "dialect": "duckdb"},
        ],
        "children": 1,
        "wall_limit_s": 5,
    }
    async with Verifier(VerifySettings.model_validate(settings), project) as verifier:
        yield verifier


async def verify(
    verifier: Verifier, answer: str, gold: str, database: str = "people"
) -> tuple[Verdict, Check]:
    expectation = Expectation(
        kind=ExpectationKind.GOLDEN_SQL, spec=gold, params={"database": database}
    )
    verdict = await verifier.verify_output(answer, [expectation])
    told = [c for c in verdict.checks if c.status not in (CheckStatus.PASS, CheckStatus.SKIP)]
    return verdict, (told or list(verdict.checks))[-1]


@pytest.mark.parametrize(
    ("gold", "said"),
    [
        ("SELECT nome FROM people", "the golden query"),
        ("DELETE FROM people", "the golden query is rejected: only_queries"),
        ("SELECT abs(min(age, -9223372036854775808)) FROM people", "the golden query fails: "),
    ],
)
async def test_a_gold_that_does_not_run(verifier: Verifier, gold: str, said: str) -> None:
    verdict, check = await verify(verifier, ANSWER, gold)
    assert verdict.outcome is Outcome.UNDECIDED
    assert check.status is CheckStatus.ERROR
    assert said in check.evidence


async def test_a_gold_that_is_not_deterministic(verifier: Verifier) -> None:
    sql = "SELECT x FROM v_dice"
    verdict, check = await verify(verifier, sql, sql, "sales")
    assert verdict.outcome is Outcome.UNDECIDED
    assert check.status is CheckStatus.ERROR
    assert "not deterministic" in check.evidence


async def test_a_file_that_vanished(verifier: Verifier, project: Path) -> None:
    (project / "people.sqlite").unlink()
    _, check = await verify(verifier, ANSWER, ANSWER)
    assert check.status is CheckStatus.ERROR
    assert "people.sqlite is gone" in check.evidence


@pytest.mark.parametrize("replaced", [False, True])
async def test_a_schema_that_changed_under_the_worker(
    verifier: Verifier, project: Path, replaced: bool
) -> None:
    before, _ = await verify(verifier, ANSWER, ANSWER)
    assert before.outcome is Outcome.PASSED
    path = project / "people.sqlite"
    if replaced:
        copy = project / "copy.sqlite"
        copy.write_bytes(path.read_bytes())
        os.replace(copy, path)
    else:
        with closing(sqlite3.connect(path)) as connection, connection:
            connection.execute("ALTER TABLE people RENAME COLUMN name TO called")
    _, check = await verify(verifier, ANSWER, ANSWER)
    assert check.status is CheckStatus.ERROR
    assert "changed while the worker ran" in check.evidence


async def test_a_file_that_is_being_written(verifier: Verifier, project: Path) -> None:
    (project / "people.sqlite-wal").write_bytes(b"rows")
    _, check = await verify(verifier, ANSWER, ANSWER)
    assert check.status is CheckStatus.ERROR
    assert "is being written" in check.evidence


async def test_a_file_that_another_process_holds_locked(verifier: Verifier, project: Path) -> None:
    script = (
        "import duckdb, sys; c = duckdb.connect(sys.argv[1]); print('locked', flush=True); "
        "sys.stdin.read()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", script, str(project / "sales.duckdb")],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == b"locked\n"
        sql = "SELECT id FROM sales"
        _, check = await verify(verifier, sql, sql, "sales")
        assert holder.stdin is not None
        holder.stdin.close()
    assert check.status is CheckStatus.ERROR
    assert "sales" in check.evidence
    verdict, _ = await verify(verifier, sql, sql, "sales")
    assert verdict.outcome is Outcome.PASSED  # the lock is gone, and with it the error


@pytest.mark.parametrize("database", ["people", "sales"])
async def test_ten_million_rows_are_bounded_and_undecided(
    verifier: Verifier, database: str
) -> None:
    table = {"people": "people", "sales": "sales"}[database]
    numbers = (
        "WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < 10) "
        "SELECT a.i, t.c FROM n a, n b, n c, n d, n e, n f, n g, "
        f"(SELECT count(*) AS c FROM {table}) t"
    )
    verdict, check = await verify(verifier, numbers, numbers, database)
    assert verdict.outcome is Outcome.UNDECIDED
    assert check.status is CheckStatus.INCONCLUSIVE
    assert "over the row limit" in check.evidence


@pytest.mark.parametrize(
    ("database", "gold", "right", "wrong"),
    [
        ("people", "SELECT photo FROM people", "SELECT p.photo FROM people p",
         "SELECT hex(photo) FROM people"),
        ("sales", "SELECT raw FROM sales", "SELECT s.raw FROM sales s",
         "SELECT raw::VARCHAR FROM sales"),
        ("sales", "SELECT parts FROM sales", "SELECT [id, id + 1] FROM sales",
         "SELECT [id + 1, id] FROM sales"),
        ("sales", "SELECT extra FROM sales", "SELECT s.extra FROM sales s",
         "SELECT extra['t'] FROM sales"),
    ],
)  # fmt: skip
async def test_binary_and_nested_values_compare(
    verifier: Verifier, database: str, gold: str, right: str, wrong: str
) -> None:
    _, check = await verify(verifier, wrong, gold, database)
    assert (check.name, check.status) == ("sql_result_match", CheckStatus.FAIL)
    verdict, _ = await verify(verifier, right, gold, database)
    matched = next(check for check in verdict.checks if check.name == "sql_result_match")
    assert matched.status is CheckStatus.PASS
