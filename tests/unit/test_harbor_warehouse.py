"""Harbor's warehouse: instances differ in their rows only, and a wrong join key runs."""

from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest

from examples.harbor.faults import wrong_join, wrong_measure
from examples.harbor.questions import questions
from examples.harbor.warehouse import VIEWS, build, columns, same_rows, schema_prompt


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("warehouse")
    for seed in (1, 2):
        build(path / f"{seed}.duckdb", seed=seed)
    return path


@pytest.fixture(scope="module")
def one(folder: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    connection = duckdb.connect(str(folder / "1.duckdb"), read_only=True)
    yield connection
    connection.close()


@pytest.fixture(scope="module")
def two(folder: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    connection = duckdb.connect(str(folder / "2.duckdb"), read_only=True)
    yield connection
    connection.close()


def test_the_same_seed_builds_the_same_rows(tmp_path: Path, one: duckdb.DuckDBPyConnection) -> None:
    build(tmp_path / "again.duckdb", seed=1)
    again = duckdb.connect(str(tmp_path / "again.duckdb"), read_only=True)
    for view in VIEWS:
        query = f"SELECT * FROM {view}"
        assert again.execute(query).fetchall() == one.execute(query).fetchall()


def test_views_have_the_columns_that_the_prompt_lists(one: duckdb.DuckDBPyConnection) -> None:
    found = set()
    for view in VIEWS:
        assert f"{view}(" in schema_prompt()
        found |= {column[0] for column in one.execute(f"SELECT * FROM {view}").description}
    assert found == columns()


def test_every_golden_query_of_dev_answers_with_something(
    one: duckdb.DuckDBPyConnection, two: duckdb.DuckDBPyConnection
) -> None:
    for connection in (one, two):
        rows = [connection.execute(question.sql).fetchall() for question in questions("dev")]
        idle = sum(not found or all(cell in (None, 0) for cell in found[0]) for found in rows)
        assert idle <= 0.02 * len(rows)


def test_a_wrong_join_runs_and_is_wrong_on_two_instances(
    one: duckdb.DuckDBPyConnection, two: duckdb.DuckDBPyConnection
) -> None:
    joined = [question for question in questions("dev") if "JOIN" in question.sql]
    lucky = 0
    for question in joined:
        sql = wrong_join(question)
        one.execute(sql)
        lucky += same_rows(one, sql, question.sql) and same_rows(two, sql, question.sql)
    assert lucky <= 0.01 * len(joined)


def test_a_wrong_measure_runs(one: duckdb.DuckDBPyConnection) -> None:
    for question in questions("dev")[:150]:
        one.execute(wrong_measure(question))


def test_instances_differ(one: duckdb.DuckDBPyConnection, two: duckdb.DuckDBPyConnection) -> None:
    query = "SELECT SUM(amount) FROM v_revenue_orders"
    assert one.execute(query).fetchall() != two.execute(query).fetchall()


def test_a_query_that_fails_matches_nothing(one: duckdb.DuckDBPyConnection) -> None:
    assert not same_rows(one, "SELECT nothing FROM v_revenue_orders", "SELECT 1")
