"""Fuzzed copies: what they keep of the warehouse, and which wrong queries they tell from gold."""

import random
import sqlite3
from collections.abc import AsyncIterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import duckdb
import pytest
import pytest_asyncio
import sqlglot

from schemas.records import Check, CheckStatus, Expectation, ExpectationKind, Outcome
from streams.verify.gold import GoldQuery
from streams.verify.instances.copies import CopyPlan
from streams.verify.instances.draw import draw_rows
from streams.verify.instances.duckdb_build import DuckdbBuilder
from streams.verify.instances.duckdb_shape import duckdb_shape
from streams.verify.instances.gold_constants import Compared, compared
from streams.verify.instances.links import with_joins, with_namesakes
from streams.verify.instances.shape import Shape
from streams.verify.instances.sqlite_build import build_sqlite
from streams.verify.instances.sqlite_shape import sqlite_shape
from streams.verify.settings import VerifySettings
from streams.verify.verifier import Verdict, Verifier

SHOP = """
CREATE TABLE customers (id INTEGER PRIMARY KEY, name TEXT NOT NULL, country TEXT, age INTEGER);
CREATE TABLE orders (
    id INTEGER PRIMARY KEY, customer INTEGER REFERENCES customers (id), day TEXT, amount REAL,
    again INTEGER REFERENCES orders (id)
);
CREATE TABLE tags (customer INTEGER REFERENCES customers, tag TEXT, PRIMARY KEY (customer, tag));
CREATE VIEW adults AS SELECT * FROM customers WHERE age >= 18;
"""
CUSTOMERS = [
    (n, f"name {n}", "France" if n % 3 else "Spain", 20 + n if n % 5 else None)
    for n in range(1, 31)
]
ORDERS = [
    (n, 1 + n % 30, f"2024-01-{1 + n % 28:02d}", 10.5 * n, n - 1 or None) for n in range(1, 61)
]
TAGS = [(n, tag) for n in range(1, 31) for tag in ("vip", "new")[: 1 + n % 2]]
COUNT = "SELECT count(*) FROM customers WHERE age > 40 AND country = 'France'"
OLDER = "SELECT name FROM customers WHERE age > 45"
EMEA = "SELECT id FROM v_sales WHERE area = 'EMEA'"
SOLD = "SELECT sum(price) FROM v_sales WHERE year = 2024"


def write_sales(path: Path) -> None:
    with duckdb.connect(str(path)) as warehouse:
        warehouse.execute(
            "CREATE SCHEMA raw; CREATE TABLE raw.sales (id INTEGER PRIMARY KEY, region VARCHAR, "
            "sold DATE, price DECIMAL(10, 2), parts INTEGER[], extra STRUCT(a INTEGER))"
        )
        warehouse.execute(
            "INSERT INTO raw.sales SELECT i, ['EMEA', 'APAC', 'AMER'][1 + i % 3], "
            "DATE '2024-01-01' + i::INTEGER, i * 1.5, [i, i + 1], {'a': i} FROM range(1, 200) t(i)"
        )
        warehouse.execute(
            "CREATE VIEW v_sales AS SELECT id, region AS area, year(sold) AS year, price, parts, "
            "extra FROM raw.sales WHERE price > 10"
        )


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("shop")
    with closing(sqlite3.connect(folder / "shop.sqlite")) as connection, connection:
        connection.executescript(SHOP)
        connection.executemany("INSERT INTO customers VALUES (?, ?, ?, ?)", CUSTOMERS)
        connection.executemany("INSERT INTO orders VALUES (?, ?, ?, ?, ?)", ORDERS)
        connection.executemany("INSERT INTO tags VALUES (?, ?)", TAGS)
    write_sales(folder / "shop.duckdb")
    return folder


@pytest.fixture(scope="module")
def shape(project: Path) -> Shape:
    return sqlite_shape(str(project / "shop.sqlite"))


def settings(**changes: object) -> VerifySettings:
    return VerifySettings.model_validate(
        {
            "databases": [
                {"name": "shop", "path": "shop.sqlite", "dialect": "sqlite"},
                {"name": "sales", "path": "shop.duckdb", "dialect": "duckdb", "views": ["v_*"]},
            ],
            "children": 1,
        }
        | changes
    )


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def verifier(project: Path) -> AsyncIterator[Verifier]:
    async with Verifier(settings(), project) as verifier:
        yield verifier


def gold(sql: str, database: str = "shop") -> list[Expectation]:
    params = {"database": database}
    return [Expectation(kind=ExpectationKind.GOLDEN_SQL, spec=sql, params=params)]


def instances(verdict: Verdict) -> Check:
    return next(check for check in verdict.checks if check.name == "sql_instances")


def constants_of(sql: str, shape: Shape) -> Compared:
    return compared(sqlglot.parse_one(sql, dialect="sqlite"), {}, shape)


def test_a_shape_knows_keys_and_links(shape: Shape) -> None:
    assert shape.tables["tags"].keys == ((0, 1),)
    links = {name: [link.parent for link in table.links] for name, table in shape.tables.items()}
    assert links == {
        "customers": [],
        "orders": ["orders", "customers"],
        "tags": ["customers"],
    }
    assert list(shape.views) == ["adults"]


@pytest.mark.parametrize(
    ("sql", "expected"),
    [
        ("SELECT 1 FROM customers AS c WHERE c.age > 18", {("customers", "age"): (18,)}),
        ("SELECT 1 FROM customers WHERE age BETWEEN -1 AND 2.5", {("customers", "age"): (-1, 2.5)}),
        (
            "SELECT 1 FROM customers AS x JOIN orders AS y ON x.id = y.customer "
            "WHERE country IN ('A', 'B') AND strftime('%Y', y.day) = '2023'",
            {("customers", "country"): ("A", "B"), ("orders", "day"): ("%Y", "2023")},
        ),
        # T1 is one table outside and another inside
        (
            "SELECT 1 FROM orders AS t1 WHERE t1.amount = 7 AND t1.customer IN "
            "(SELECT t1.id FROM customers AS t1 WHERE t1.age = 8)",
            {("orders", "amount"): (7,), ("customers", "age"): (8,)},
        ),
    ],
)
def test_constants_are_found_with_the_column_they_meet(
    shape: Shape, sql: str, expected: dict[tuple[str, str], tuple[object, ...]]
) -> None:
    assert constants_of(sql, shape).constants == expected


def test_columns_of_views_are_those_they_are_made_of(shape: Shape) -> None:
    views = {
        name: sqlglot.parse_one(sql, dialect="sqlite")
        for name, sql in {
            "buyers": "SELECT id AS customer, age FROM customers",
            "sales": "SELECT customer, strftime('%Y', day) AS year FROM orders",
        }.items()
    }
    found = compared(
        sqlglot.parse_one(
            "SELECT 1 FROM sales AS s JOIN buyers AS b ON s.customer = b.customer "
            "WHERE s.year = '2023' AND b.age = 30",
            dialect="sqlite",
        ),
        views,
        shape,
    )
    assert found.pairs == ((("orders", "customer"), ("customers", "id")),)
    assert found.constants == {("orders", "day"): ("2023",), ("customers", "age"): (30,)}


def test_a_column_that_is_a_condition_by_itself_is_a_constant_too(shape: Shape) -> None:
    sql = "SELECT 1 FROM customers WHERE NOT age AND (country OR name = 'x')"
    assert constants_of(sql, shape).constants == {
        ("customers", "age"): (False,),
        ("customers", "country"): (True,),
        ("customers", "name"): ("x",),
    }


@pytest.mark.parametrize("seed", range(20))
def test_conditions_over_several_tables_are_met_by_a_row_of_each(shape: Shape, seed: int) -> None:
    sql = (
        "SELECT 1 FROM tags JOIN customers ON tags.customer = customers.id JOIN orders "
        "ON orders.customer = customers.id WHERE country = 'A' AND age = 30 AND day = '2021-03-04' "
        "AND tag = 'z'"
    )
    gold = constants_of(sql, shape)
    rows = draw_rows(with_joins(shape, gold), gold, random.Random(seed))
    buyers = {row[0] for row in rows["customers"] if "A" in row and 30 in row}
    assert buyers & {row[1] for row in rows["orders"] if "2021-03-04" in row}
    assert buyers & {row[0] for row in rows["tags"] if "z" in row}


@pytest.mark.parametrize("seed", range(20))
def test_rows_keep_keys_and_links(shape: Shape, seed: int) -> None:
    rows = draw_rows(shape, Compared(), random.Random(seed))
    ids = [row[0] for row in rows["customers"]]
    assert len(ids) == len(set(ids)) <= 40
    assert len(rows["tags"]) == len(set(rows["tags"]))
    assert {row[1] for row in rows["orders"]} <= set(ids)
    assert {row[4] for row in rows["orders"]} <= {row[0] for row in rows["orders"]} | {None}
    assert all(row[1] is not None for row in rows["customers"])


def test_a_join_of_gold_links_tables_that_declare_nothing(tmp_path: Path) -> None:
    path = tmp_path / "bare.sqlite"
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.executescript("CREATE TABLE a (k INTEGER, x); CREATE TABLE b (other, y)")
        connection.executemany("INSERT INTO a VALUES (?, ?)", [(n, n) for n in range(9)])
        connection.executemany("INSERT INTO b VALUES (?, ?)", [(n % 3, n) for n in range(9)])
    bare = with_namesakes(sqlite_shape(str(path)))
    joined = with_joins(bare, constants_of("SELECT 1 FROM a JOIN b ON a.k = b.other", bare))
    assert [link.parent for link in joined.tables["b"].links] == ["a"]
    assert [link.parent for link in bare.tables["b"].links] == []


def test_a_copy_follows_from_shape_and_gold_alone(shape: Shape) -> None:
    def plan(shape: Shape, sql: str, content: str = "a") -> CopyPlan:
        tree = sqlglot.parse_one(sql, dialect="sqlite")
        return CopyPlan.of(shape, GoldQuery(sql=sql, tree=tree), content)

    first = plan(shape, COUNT)
    rows = first.rows(1, 0)
    assert plan(shape, COUNT).rows(1, 0) == rows
    assert first.rows(2, 0) != rows
    fewer = replace(shape, views={})
    others = (plan(fewer, COUNT), plan(shape, COUNT + " "))
    assert all(other.rows(1, 0) != rows for other in others)
    rebuilt = plan(shape, COUNT, content="b")
    assert rebuilt.rows(1, 0) == rows
    assert rebuilt.stem != first.stem


def test_a_sqlite_copy_has_the_views(tmp_path: Path, shape: Shape) -> None:
    path = tmp_path / "copy.db"
    build_sqlite(path, shape, draw_rows(shape, Compared(), random.Random(1)))
    with closing(sqlite3.connect(path)) as connection:
        ((customers,),) = connection.execute("SELECT count(*) FROM customers")
        ((adults,),) = connection.execute("SELECT count(*) FROM adults")
    assert customers >= 3
    assert adults <= customers


def test_a_duckdb_copy_has_schemas_views_and_nested_values(tmp_path: Path, project: Path) -> None:
    shape = duckdb_shape(str(project / "shop.duckdb"))
    path = tmp_path / "copy.db"
    builder = DuckdbBuilder()
    builder.build(path, shape, draw_rows(shape, Compared(), random.Random(1)))
    builder.close()
    with duckdb.connect(str(path), read_only=True) as connection:
        rows = connection.execute("SELECT parts, extra FROM raw.sales").fetchall()
        connection.execute("SELECT area, year FROM v_sales").fetchall()
    assert any(isinstance(parts, list) and parts[1] == parts[0] + 1 for parts, _ in rows if parts)
    assert any(extra["a"] for _, extra in rows if extra)


def test_a_warehouse_built_twice_has_one_shape(project: Path, tmp_path: Path) -> None:
    again = tmp_path / "again.duckdb"
    write_sales(again)
    assert again.read_bytes() != (project / "shop.duckdb").read_bytes()
    assert repr(duckdb_shape(str(again))) == repr(duckdb_shape(str(project / "shop.duckdb")))


@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.parametrize(
    ("database", "golden", "wrong"),
    [
        ("shop", COUNT, COUNT.replace("=", "<=")),
        (
            "shop",
            "SELECT name FROM customers WHERE age > 45",
            "SELECT name FROM customers WHERE id > 25 AND age > 0",
        ),
        ("shop", "SELECT count(*) FROM orders", "SELECT count(*) FROM orders WHERE amount >= 10.5"),
        ("shop", "SELECT count(id) FROM customers", "SELECT count(DISTINCT name) FROM customers"),
        (
            "sales",
            "SELECT id FROM v_sales WHERE area = 'EMEA'",
            "SELECT id FROM v_sales WHERE id % 3 = 0",
        ),
        (
            "sales",
            "SELECT sum(price) FROM v_sales WHERE year = 2024",
            "SELECT sum(price) FROM v_sales",
        ),
    ],
)
async def test_a_query_right_by_accident_is_told_apart(
    verifier: Verifier, database: str, golden: str, wrong: str
) -> None:
    verdict = await verifier.verify_output(wrong, gold(golden, database))
    assert {check.name: check.status for check in verdict.checks}["sql_result_match"] == "PASS"
    assert verdict.outcome is Outcome.UNDECIDED
    assert "tells the two apart" in instances(verdict).evidence
    assert "of 3 copies count" in instances(verdict).evidence


@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.parametrize(
    ("database", "golden", "right"),
    [
        ("shop", COUNT, "SELECT sum(1) FROM customers WHERE country = 'France' AND NOT age <= 40"),
        (
            "shop",
            "SELECT c.name, o.amount FROM customers c JOIN orders o ON c.id = o.customer",
            "SELECT amount, name FROM orders, customers WHERE customer = customers.id",
        ),
        (
            "sales",
            "SELECT area, count(*) FROM v_sales GROUP BY 1",
            "SELECT count(id) AS n, area FROM v_sales GROUP BY area",
        ),
    ],
)
async def test_the_same_question_asked_otherwise_passes(
    verifier: Verifier, database: str, golden: str, right: str
) -> None:
    verdict = await verifier.verify_output(right, gold(golden, database))
    assert verdict.outcome is Outcome.PASSED, verdict.checks
    assert instances(verdict).evidence.endswith("all agree")


async def test_a_disagreement_fails_where_the_project_says_so(project: Path) -> None:
    chosen = settings(instances={"copies": 3, "disagreement": "fail"})
    async with Verifier(chosen, project) as verifier:
        verdict = await verifier.verify_output(
            "SELECT count(*) FROM orders WHERE amount > 0", gold("SELECT count(*) FROM orders")
        )
    assert verdict.outcome is Outcome.FAILED


async def test_a_gold_that_finds_nothing_on_copies_leaves_the_match_alone(project: Path) -> None:
    # no table of a copy has so many rows
    golden = "SELECT count(*) FROM orders HAVING count(*) > 50"
    async with Verifier(settings(), project) as verifier:
        verdict = await verifier.verify_output(golden, gold(golden))
        assert instances(verdict).status is CheckStatus.SKIP
        assert "0 of 3 copies count" in instances(verdict).evidence
        assert verdict.outcome is Outcome.PASSED


async def test_copies_are_gone_with_the_verifier(project: Path) -> None:
    async with Verifier(settings(), project) as verifier:
        await verifier.verify_output(COUNT, gold(COUNT))
        folder = verifier.instances_folder
        assert folder is not None
        assert any(folder.iterdir())
    assert not folder.exists()


async def test_official_semantics_judge_on_one_instance_unless_asked(project: Path) -> None:
    async with Verifier(settings(match="spider_exec"), project) as verifier:
        assert verifier.instances_folder is None
    chosen = settings(match="spider_exec", instances={"copies": 1})
    async with Verifier(chosen, project) as verifier:
        verdict = await verifier.verify_output(COUNT, gold(COUNT))
        assert "1 of 1 copies count" in instances(verdict).evidence
