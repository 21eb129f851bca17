"""Statements that must lose, whatever they try, and the sandbox behind the gate on its own."""

import sqlite3
from collections.abc import AsyncIterator
from pathlib import Path

import duckdb
import pytest
import pytest_asyncio

from schemas.records import Expectation, ExpectationKind, Outcome
from streams.verify.databases import Readable
from streams.verify.sandbox.pool import SandboxPool
from streams.verify.settings import DatabaseSettings, VerifySettings
from streams.verify.verifier import Verifier

FILES = [
    "SELECT * FROM read_csv('/etc/passwd')",
    "SELECT * FROM read_text('/etc/passwd')",
    "SELECT * FROM read_blob('/etc/passwd')",
    "SELECT * FROM read_json('/etc/passwd')",
    "SELECT * FROM read_parquet('x.parquet')",
    "SELECT * FROM '/etc/passwd'",
    'SELECT * FROM "/etc/passwd"',
    "SELECT * FROM glob('/*')",
    "SELECT * FROM sniff_csv('/etc/passwd')",
    "SELECT * FROM parquet_scan('x')",
    "COPY v_sales TO '/tmp/stolen.csv'",
    "COPY (SELECT * FROM secret) TO '/tmp/stolen.csv'",
    "COPY v_sales FROM '/etc/passwd'",
    "EXPORT DATABASE '/tmp/stolen'",
    "IMPORT DATABASE '/tmp/stolen'",
    "ATTACH '/tmp/other.db' AS other",
    "DETACH shop",
    "SELECT * FROM duckdb_secrets()",
    "SELECT * FROM sqlite_scan('/tmp/a.db', 't')",
]
SETTINGS = [
    "SELECT getenv('HOME')",
    "SELECT current_setting('memory_limit')",
    "SET memory_limit = '100GB'",
    "SET enable_external_access = true",
    "RESET lock_configuration",
    "PRAGMA database_list",
    "PRAGMA table_info('secret')",
    "INSTALL httpfs",
    "LOAD httpfs",
    "FORCE INSTALL httpfs FROM 'http://example.com'",
    "CALL pragma_version()",
    "SELECT version()",
    "SELECT * FROM pragma_database_list()",
    "CREATE SECRET s (TYPE s3)",
    "SELECT current_user",
    "SELECT session_user",
    "SELECT current_database()",
    "SELECT current_schema()",
    "SELECT txid_current()",
    "SELECT pg_backend_pid()",
]
CATALOGS = [
    "SELECT * FROM information_schema.tables",
    "SELECT * FROM duckdb_tables()",
    "SELECT * FROM duckdb_settings()",
    "SELECT * FROM sqlite_master",
    "SELECT * FROM pg_catalog.pg_tables",
    "SELECT * FROM system.information_schema.columns",
    "SHOW TABLES",
    "DESCRIBE v_sales",
    "SUMMARIZE v_sales",
    "SELECT * FROM (DESCRIBE secret)",
    "SELECT * FROM (SHOW ALL TABLES)",
    "EXPLAIN SELECT * FROM v_sales",
]
OTHER_TABLES = [
    "SELECT * FROM secret",
    "SELECT * FROM main.secret",
    "SELECT * FROM shop.main.secret",
    'SELECT * FROM "SECRET"',
    "FROM secret",
    "TABLE secret",
    "SELECT (SELECT max(word) FROM secret) FROM v_sales",
    "SELECT id FROM v_sales WHERE EXISTS (SELECT 1 FROM secret)",
    "SELECT id FROM v_sales UNION SELECT word FROM secret",
    "WITH x AS (SELECT * FROM secret) SELECT * FROM x",
    "WITH secret AS (SELECT * FROM secret) SELECT * FROM secret",
    "WITH RECURSIVE secret AS (SELECT * FROM secret) SELECT * FROM secret",
    "WITH RECURSIVE secret AS (SELECT word FROM secret UNION ALL SELECT word + 1 FROM secret "
    "WHERE word < 3) SELECT * FROM secret",
    "WITH a AS (SELECT * FROM secret), secret AS (SELECT 1 AS word) SELECT * FROM a",
    "WITH v_sales AS (SELECT * FROM secret) SELECT * FROM v_sales",
    "WITH x AS (WITH secret AS (SELECT 1) SELECT 1) SELECT * FROM secret",
    "SELECT * FROM query('SELECT * FROM secret')",
    "SELECT * FROM query_table('secret')",
    "SELECT * FROM v_sales, LATERAL (SELECT * FROM secret)",
    "SELECT * FROM v_sales JOIN secret ON true",
    "PIVOT secret ON word",
    "SELECT * FROM (PIVOT secret ON word)",
    "UNPIVOT secret ON word",
]
WRITES = [
    "DROP TABLE secret",
    "DELETE FROM v_sales",
    "INSERT INTO secret VALUES (1)",
    "UPDATE secret SET word = 1",
    "CREATE TABLE t AS SELECT 1",
    "CREATE TEMP VIEW v_sales AS SELECT * FROM secret",
    "CREATE MACRO count(x) AS 1",
    "ALTER TABLE secret RENAME TO open",
    "SELECT id INTO t FROM v_sales",
    "VACUUM",
    "CHECKPOINT",
    "BEGIN",
    "PREPARE p AS SELECT 1",
    "EXECUTE p",
    "MERGE INTO secret USING v_sales ON true WHEN MATCHED THEN DELETE",
]
SEVERAL = [
    "SELECT id FROM v_sales; DROP TABLE secret",
    "SELECT id FROM v_sales; SELECT word FROM secret",
    "SELECT 1;;SELECT 2",
    "; ; ",
    "-- nothing but a comment",
    "/* SELECT 1 */",
    "SELECT id FROM v_sales -- \n; ATTACH 'x'",
]
CHANCE_AND_CLOCK = [
    "SELECT random() FROM v_sales",
    "SELECT id FROM v_sales ORDER BY random()",
    "SELECT id FROM v_sales USING SAMPLE 1",
    "SELECT id FROM v_sales TABLESAMPLE 10%",
    "SELECT uuid()",
    "SELECT now()",
    "SELECT current_timestamp",
    "SELECT current_date",
    "SELECT today()",
    "SELECT CAST('now' AS DATE)",
    "SELECT DATE 'today'",
    "SELECT setseed(0.5)",
    "SELECT nextval('s')",
]
BOMBS = [
    "SELECT count(*) FROM range(100000000) a, range(100000000) b",
    "WITH RECURSIVE r(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM r) SELECT max(n) FROM r",
    "SELECT list(range) FROM range(10000000000)",
    "SELECT repeat('x', 2000000000)",
    "SELECT lpad('x', 2000000000, 'y')",
    "SELECT string_agg(a.range::VARCHAR || b.range) FROM range(100000) a, range(100000) b",
    "SELECT range(1000000000)",
    "SELECT " + "(" * 3000 + "1" + ")" * 3000,
    "SELECT " + "[" * 100 + "1" + "]" * 100,
    "SELECT " + "NOT " * 1500 + "true",
    "SELECT '" + "x" * 9000 + "'",
    "SELECT factorial(100000000)",
]
SQLITE_ONLY = [
    "SELECT load_extension('/tmp/evil.so')",
    "SELECT writefile('/tmp/stolen', 'x')",
    "SELECT readfile('/etc/passwd')",
    "SELECT edit('x')",
    "SELECT fts3_tokenizer('simple')",
    "SELECT zeroblob(1000000000)",
    "SELECT hex(zeroblob(1000000000))",
    "SELECT randomblob(1000000000)",
    "SELECT * FROM pragma_table_info('secret')",
    "SELECT * FROM pragma_function_list",
    "SELECT * FROM dbstat",
    "SELECT * FROM json_each('[1]')",
    "SELECT * FROM sqlite_schema",
    "SELECT * FROM temp.sqlite_master",
    "SELECT sql FROM main.sqlite_master",
    "SELECT sqlite_version()",
    "SELECT last_insert_rowid()",
    "SELECT date('now')",
    "SELECT datetime('now', '-1 day')",
    "ATTACH DATABASE '/tmp/x.db' AS x",
    "PRAGMA writable_schema = ON",
    "REPLACE INTO secret VALUES (1)",
    "VACUUM INTO '/tmp/copy.db'",
    "EXPLAIN QUERY PLAN SELECT 1",
    "SELECT count(*) FROM v_sales a, v_sales b, v_sales c, v_sales d, v_sales e, v_sales f",
]
NO_SQL = ["", "   \n", "I cannot answer that.", "```sql\n```", "\0", "SELECT \udcff", "SELECT"]

HOSTILE = {
    "duckdb": FILES
    + SETTINGS
    + CATALOGS
    + OTHER_TABLES
    + WRITES
    + SEVERAL
    + CHANCE_AND_CLOCK
    + BOMBS
    + NO_SQL,
    "sqlite": SQLITE_ONLY + OTHER_TABLES + WRITES + SEVERAL + CATALOGS + NO_SQL + BOMBS[1:2],
}
LEGITIMATE = {
    "duckdb": [
        "SELECT count(*) FROM v_sales",
        "select ID, Name from V_SALES order by 1 desc limit 3;",
        "WITH a AS (SELECT id FROM v_sales), b AS (SELECT * FROM a) SELECT sum(id) FROM b",
        "WITH RECURSIVE r AS (SELECT 1 AS n UNION ALL SELECT n + 1 FROM r WHERE n < 3) "
        "SELECT v_sales.id FROM r JOIN v_sales ON v_sales.id = r.n",
        "SELECT name, row_number() OVER (PARTITION BY name ORDER BY id) FROM v_sales",
        "SELECT name, sum(id) FILTER (WHERE id > 2) FROM v_sales GROUP BY ALL ORDER BY ALL",
        "SELECT year(day), quarter(day), date_trunc('month', day) FROM v_sales GROUP BY 1, 2, 3",
        "SELECT extract(month FROM day), strftime(day, '%Y') FROM v_sales -- a comment",
        "SELECT id FROM main.v_sales WHERE day BETWEEN DATE '2024-01-01' AND DATE '2024-02-01'",
        "SELECT id FROM v_sales WHERE name LIKE 'n%' AND NOT name ILIKE '%x' INTERSECT SELECT 1",
        "SELECT median(id), quantile_cont(id, 0.9), stddev(id) FROM v_sales",
        "SELECT CASE WHEN id > 2 THEN 'a' ELSE 'b' END AS k, avg(id)::INT FROM v_sales GROUP BY k",
        "SELECT * EXCLUDE (name) FROM v_sales QUALIFY row_number() OVER (ORDER BY id) = 1",
        "SELECT id FROM v_sales WHERE id IN (SELECT max(id) FROM v_sales)",
        "SELECT coalesce(name, '?') || '!' , day + INTERVAL 3 DAY, id // 2, id % 2 FROM v_sales",
        "SELECT range FROM range(3) WHERE range IN (SELECT id FROM v_sales)",
        "SELECT a.id FROM v_sales AS a LEFT JOIN v_sales AS b USING (id)",
        "SELECT string_agg(name, ',' ORDER BY id) FROM v_sales",
        "FROM v_sales SELECT min(id)",
        "SELECT name FROM v_sales WHERE name = 'today'",
    ],
    "sqlite": [
        "SELECT count(*) FROM v_sales",
        'SELECT name FROM v_sales WHERE name = "n1"',
        "SELECT T1.id FROM v_sales AS T1 JOIN v_sales AS T2 ON T1.id = T2.id EXCEPT SELECT 3",
        "SELECT strftime('%Y', day), count(DISTINCT name) FROM v_sales GROUP BY 1 HAVING 1",
        "SELECT id FROM (SELECT id FROM v_sales ORDER BY id LIMIT 2) WHERE id % 2 = 1",
        "SELECT group_concat(name), total(id), iif(id > 1, 'a', 'b') FROM v_sales",
        "SELECT count(*) FROM (SELECT id FROM v_sales)",
        "WITH RECURSIVE r(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM r WHERE n < 9) "
        "SELECT count(*) FROM r JOIN v_sales ON v_sales.id = r.n",
        "SELECT name COLLATE NOCASE, lag(id) OVER (ORDER BY id) FROM v_sales",
        "SELECT cast(substr(day, 1, 4) AS INTEGER), round(avg(id), 2) FROM v_sales GROUP BY 1",
    ],
}  # fmt: skip
CASES = [(dialect, sql) for dialect, statements in HOSTILE.items() for sql in statements]
FINE = [(dialect, sql) for dialect, statements in LEGITIMATE.items() for sql in statements]


@pytest.fixture(scope="module")
def shops(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("shops")
    script = [
        "CREATE TABLE secret (word INTEGER)",
        "CREATE TABLE sales (id INTEGER, name VARCHAR, day DATE)",
        "INSERT INTO secret VALUES (4242)",
        "INSERT INTO sales SELECT n, 'n' || n, '2024-01-15' FROM "
        "(WITH RECURSIVE r(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM r WHERE n < 300) "
        "SELECT n FROM r)",
        "CREATE VIEW v_sales AS SELECT * FROM sales",
    ]
    with duckdb.connect(str(folder / "shop.duckdb")) as warehouse:
        for statement in script:
            warehouse.execute(statement)
    with sqlite3.connect(folder / "shop.sqlite") as file:
        for statement in script:
            file.execute(statement)
    return folder


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def verifier(shops: Path) -> AsyncIterator[Verifier]:
    settings = VerifySettings(
        databases=(
            DatabaseSettings(name="duckdb", path="shop.duckdb", dialect="duckdb", views=("v_*",)),
            DatabaseSettings(
                name="sqlite", path="shop.sqlite", dialect="sqlite", views=("v_sales",)
            ),
        ),
        wall_limit_s=1,
    )
    async with Verifier(settings, shops) as verifier:
        yield verifier


def expecting(dialect: str) -> list[Expectation]:
    return [
        Expectation(
            kind=ExpectationKind.GOLDEN_SQL,
            spec="SELECT id FROM v_sales",
            params={"database": dialect},
        )
    ]


@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.parametrize(("dialect", "sql"), CASES)
async def test_a_hostile_statement_loses(
    verifier: Verifier, shops: Path, dialect: str, sql: str
) -> None:
    files = sorted(shops.iterdir())
    verdict = await verifier.verify_output(sql, expecting(dialect))
    assert verdict.outcome is Outcome.FAILED, [c.evidence for c in verdict.checks]
    # not merely different from gold: it never gave a result at all
    assert verdict.checks[-1].status == "SKIP" or "gold has" in verdict.checks[-1].evidence
    assert sorted(shops.iterdir()) == files


@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.parametrize(("dialect", "sql"), FINE)
async def test_an_ordinary_query_runs(verifier: Verifier, dialect: str, sql: str) -> None:
    verdict = await verifier.verify_output(f"```sql\n{sql}\n```", expecting(dialect))
    found = {check.name: check for check in verdict.checks}
    assert found["sql_gate"].status == "PASS", found["sql_gate"].evidence
    assert found["sql_executes"].status == "PASS", found["sql_executes"].evidence


@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.parametrize("dialect", ["duckdb", "sqlite"])
async def test_the_child_alone_gives_no_secret_away(verifier: Verifier, dialect: str) -> None:
    """What the gate stops, sent past it: the engine in the child must not answer either."""
    pool: SandboxPool = verifier._pool
    readable = await verifier._databases.get(dialect)
    assert isinstance(readable, Readable)
    families = FILES + SETTINGS + CATALOGS + OTHER_TABLES + WRITES
    for sql in families if dialect == "duckdb" else families + SQLITE_ONLY:
        if sql.startswith("WITH v_sales"):
            continue  # that no CTE has an allowed view's name is the gate's part for SQLite
        result = await pool.run(readable.database, sql)
        shown = {value for row in result.rows for value in row}
        assert 4242 not in shown, sql
        assert not any(isinstance(value, str) and "root:" in value for value in shown), sql
