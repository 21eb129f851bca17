"""`prefstream verify match`: a line for every pair, in order, and an exit code by result."""

import json
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from typer.testing import CliRunner

from cli.main import app
from schemas.errors import ConfigError
from streams.verify.sql_pairs import read_pairs

RUNNER = CliRunner()


@pytest.fixture
def database(tmp_path: Path) -> Path:
    path = tmp_path / "db" / "people" / "people.sqlite"
    path.parent.mkdir(parents=True)
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("CREATE TABLE people (name TEXT, age INTEGER)")
        connection.executemany("INSERT INTO people VALUES (?, ?)", [("ann", 50), ("bob", 40)])
    return path


def files(folder: Path, gold: str, pred: str) -> list[str]:
    (folder / "gold").write_text(gold)
    (folder / "pred").write_text(pred)
    return ["--gold", str(folder / "gold"), "--pred", str(folder / "pred")]


def test_every_pair_gets_its_line_in_order(tmp_path: Path, database: Path) -> None:
    gold = "SELECT name FROM people\n" * 6
    pred = (
        "SELECT name FROM people ORDER BY age\nSELECT age FROM people\nDROP TABLE people\n"
        "SELECT abs(min(age, -9223372036854775808)) FROM people\n"
        "SELECT name FROM people WHERE name IN ('ann', 'bob')\n"
        "SELECT upper(name) FROM people\n"
    )
    arguments = ["verify", "match", "--db", str(database), "--json"]
    done = RUNNER.invoke(app, [*arguments, *files(tmp_path, gold, pred)])
    rows = [json.loads(line) for line in done.stdout.splitlines()]
    assert [row["id"] for row in rows] == list("123456")
    statuses = [row["status"] for row in rows]
    assert statuses == ["match", "different", "rejected", "fails", "undecided", "different"]
    assert "only_queries" in rows[2]["reason"]
    assert "tells the two apart" in rows[4]["reason"]
    assert all(row["ms"] >= 0 for row in rows)
    assert done.exit_code == 1


def test_all_matching_is_exit_code_0_also_over_a_folder_and_by_id(
    tmp_path: Path, database: Path
) -> None:
    gold = "".join(
        json.dumps({"id": key, "sql": sql, "db": "people"}) + "\n"
        for key, sql in [("a", "SELECT max(age) FROM people"), ("b", "SELECT name FROM people")]
    )
    pred = "".join(
        json.dumps({"id": key, "sql": sql}) + "\n"
        for key, sql in [
            ("b", "SELECT p.name FROM people p"),
            ("a", "SELECT age FROM people ORDER BY age DESC LIMIT 1"),
        ]
    )
    arguments = ["verify", "match", "--db", str(database.parents[1]), "--copies", "0"]
    done = RUNNER.invoke(app, [*arguments, *files(tmp_path, gold, pred)])
    assert done.exit_code == 0, done.output
    assert "2 queries: 2 match" in done.stdout


@pytest.mark.parametrize(
    ("gold", "pred", "said"),
    [
        ("SELECT 1\n\nSELECT 2\n", "SELECT 1\n", "gold:2: an empty line"),
        ("SELECT 1\nSELECT 2\n", "SELECT 1\n", "line 2 has no counterpart"),
        ('{"id": 1, "sql": "x"}\n{"id": 2}\n', "SELECT 1\nSELECT 2\n", "gold:2: expected"),
        ('{"id": 1, "sql": "x"}\nnope\n', "SELECT 1\nSELECT 2\n", "gold:2: no JSON"),
        ('{"id": 1, "sql": "x"}\n', '{"id": 2, "sql": "x"}\n', "pred:1: no golden query has id"),
        ('{"id": 1, "sql": "x"}\n{"id": 1, "sql": "x"}\n', "a\nb\n", "gold:1: id '1' stands twice"),
    ],
)
def test_bad_input_names_the_file_and_the_line(
    tmp_path: Path, gold: str, pred: str, said: str
) -> None:
    files(tmp_path, gold, pred)
    with pytest.raises(ConfigError) as raised:
        read_pairs(tmp_path / "gold", tmp_path / "pred")
    assert said in str(raised.value)


@pytest.mark.parametrize(
    ("gold", "said"),
    [
        ("SELECT 1\n", "query 1 (1) names no database"),
        ("SELECT 1\tnowhere\n", "query 1 (1): no nowhere/nowhere.sqlite"),
    ],
)
def test_a_folder_needs_the_databases_that_gold_names(
    tmp_path: Path, database: Path, gold: str, said: str
) -> None:
    arguments = ["verify", "match", "--db", str(database.parents[1])]
    done = RUNNER.invoke(app, [*arguments, *files(tmp_path, gold, "SELECT 1\n")])
    assert isinstance(done.exception, ConfigError)
    assert said in str(done.exception)


def test_what_is_no_database_is_said(tmp_path: Path) -> None:
    (tmp_path / "text.db").write_text("hello")
    arguments = ["verify", "match", "--db", str(tmp_path / "text.db")]
    done = RUNNER.invoke(app, [*arguments, *files(tmp_path, "SELECT 1\n", "SELECT 1\n")])
    assert isinstance(done.exception, ConfigError)
    assert "neither a SQLite nor a DuckDB file" in str(done.exception)
