"""The sandbox: exact results, every limit, and a pool that outlives whatever happens to a child."""

import asyncio
import json
import os
import select
import signal
import socket
import sqlite3
import subprocess
import sys
from collections.abc import AsyncIterator
from datetime import date, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import duckdb
import pytest
import pytest_asyncio

from schemas.errors import Fatal
from streams.verify.sandbox.database import Database
from streams.verify.sandbox.limits import Limits
from streams.verify.sandbox.pool import SandboxPool
from streams.verify.sandbox.process import Child
from streams.verify.sandbox.result import QueryError, QueryErrorKind

pytestmark = pytest.mark.asyncio(loop_scope="module")

ROOT = Path(__file__).parents[2]
# Short, so that tests of killing are quick; generous enough for a small query on a busy machine.
LIMITS = Limits(wall_s=1.0, rows=100, result_bytes=200_000)


@pytest.fixture(scope="module")
def sqlite_database(tmp_path_factory: pytest.TempPathFactory) -> Database:
    path = tmp_path_factory.mktemp("sqlite") / "shop.sqlite"
    with sqlite3.connect(path) as connection:
        connection.executescript(
            "CREATE TABLE sales (id INTEGER, name TEXT, amount REAL);"
            "INSERT INTO sales VALUES (1, 'a', 1.5), (2, 'b', NULL);"
            "INSERT INTO sales VALUES (3, CAST(x'ff41' AS TEXT), 9e999);"
            "CREATE TABLE secret (word TEXT); INSERT INTO secret VALUES ('x');"
            "CREATE VIEW v_secret AS SELECT count(*) AS n FROM secret;"
        )
    return Database(dialect="sqlite", path=str(path), tables=frozenset({"sales", "v_secret"}))


@pytest.fixture(scope="module")
def duckdb_database(tmp_path_factory: pytest.TempPathFactory) -> Database:
    path = tmp_path_factory.mktemp("duckdb") / "shop.duckdb"
    with duckdb.connect(str(path)) as connection:
        connection.execute("CREATE TABLE secret AS SELECT 1 AS word")
        connection.execute("CREATE TABLE sales AS SELECT range AS id FROM range(1000)")
        connection.execute("CREATE VIEW v_secret AS SELECT count(*) AS n FROM secret")
    return Database(dialect="duckdb", path=str(path), tables=frozenset({"sales", "v_secret"}))


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def pool() -> AsyncIterator[SandboxPool]:
    async with SandboxPool(size=1, limits=LIMITS) as pool:
        yield pool


def only_child(pool: SandboxPool) -> Child:
    (child,) = pool._children
    return child


async def test_sqlite_values_keep_their_types(pool: SandboxPool, sqlite_database: Database) -> None:
    result = await pool.run(sqlite_database, "SELECT id, name, amount FROM sales ORDER BY id")
    assert result.error is None
    assert result.columns == ("id", "name", "amount")
    assert result.rows == ((1, "a", 1.5), (2, "b", None), (3, "\udcffA", float("inf")))


async def test_duckdb_values_keep_their_types(pool: SandboxPool, duckdb_database: Database) -> None:
    sql = (
        "SELECT 1.50::DECIMAL(5, 2), DATE '2024-02-29', TIMESTAMP '2024-01-01 10:00:00', "
        "INTERVAL 2 DAY, 'x'::BLOB, [1, 2], {'k': 1.0::DOUBLE}, TRUE, 'NaN'::DOUBLE IS NULL, "
        "170141183460469231731687303715884105727::HUGEINT"
    )
    result = await pool.run(duckdb_database, sql)
    assert result.error is None
    assert result.rows == (
        (
            Decimal("1.50"),
            date(2024, 2, 29),
            datetime(2024, 1, 1, 10),
            timedelta(days=2),
            b"x",
            (1, 2),
            (("k", 1.0),),
            True,
            False,
            2**127 - 1,
        ),
    )


async def test_a_long_result_is_cut(pool: SandboxPool, duckdb_database: Database) -> None:
    result = await pool.run(duckdb_database, "SELECT id FROM sales")
    assert len(result.rows) == LIMITS.rows
    assert result.truncated


async def test_a_wide_result_is_refused(pool: SandboxPool, duckdb_database: Database) -> None:
    sql = "SELECT string_agg(id::VARCHAR || 'xxxxxxxxxxxxxxxxxxxxxxxxxxxxx') AS t FROM sales"
    wide = f"SELECT t FROM ({sql}) JOIN (SELECT id FROM sales LIMIT 50) ON true"
    result = await pool.run(duckdb_database, wide)
    assert result.error is not None
    assert result.error.kind is QueryErrorKind.TOO_LARGE


async def test_an_overlong_query_is_not_sent(pool: SandboxPool, duckdb_database: Database) -> None:
    result = await pool.run(duckdb_database, "SELECT 1" + " " * LIMITS.sql_bytes)
    assert result.error is not None
    assert result.error.kind is QueryErrorKind.TOO_LARGE


async def test_views_read_what_queries_may_not(
    pool: SandboxPool, sqlite_database: Database, duckdb_database: Database
) -> None:
    for database in (sqlite_database, duckdb_database):
        assert (await pool.run(database, "SELECT n FROM v_secret")).rows == ((1,),)
        assert (await pool.run(database, "SELECT word FROM secret")).error is not None


async def test_schema_lists_tables_views_and_columns(
    pool: SandboxPool, sqlite_database: Database, duckdb_database: Database
) -> None:
    for database in (sqlite_database, duckdb_database):
        schema = await pool.schema(database)
        assert not isinstance(schema, QueryError)
        assert schema.keys() == {"sales", "secret", "v_secret"}
        assert "id" in schema["sales"]


async def test_a_missing_database_is_not_the_querys_fault(pool: SandboxPool) -> None:
    nowhere = Database(dialect="sqlite", path="/nowhere.sqlite", tables=frozenset())
    result = await pool.run(nowhere, "SELECT 1")
    assert result.error is not None
    assert not result.error.is_the_querys


@pytest.mark.parametrize("dialect", ["sqlite", "duckdb"])
async def test_a_query_over_the_wall_limit_loses_and_the_next_one_runs(
    pool: SandboxPool, sqlite_database: Database, duckdb_database: Database, dialect: str
) -> None:
    database = sqlite_database if dialect == "sqlite" else duckdb_database
    bomb = "WITH RECURSIVE r(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM r) SELECT max(n) FROM r"
    result = await pool.run(database, bomb)
    assert result.error is not None
    assert result.error.is_the_querys
    assert (await pool.run(database, "SELECT n FROM v_secret")).rows == ((1,),)


async def test_a_killed_child_is_replaced_unseen(
    pool: SandboxPool, sqlite_database: Database
) -> None:
    before = only_child(pool).pid
    os.kill(before, signal.SIGKILL)
    assert (await pool.run(sqlite_database, "SELECT n FROM v_secret")).rows == ((1,),)
    assert only_child(pool).pid != before


async def test_a_cancelled_query_frees_its_place(
    pool: SandboxPool, sqlite_database: Database
) -> None:
    bomb = "WITH RECURSIVE r(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM r) SELECT max(n) FROM r"
    running = asyncio.create_task(pool.run(sqlite_database, bomb))
    await asyncio.sleep(0)
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    assert (await pool.run(sqlite_database, "SELECT n FROM v_secret")).rows == ((1,),)


async def test_more_queries_than_children_all_get_their_own_answer(
    pool: SandboxPool, sqlite_database: Database
) -> None:
    results = await asyncio.gather(*(pool.run(sqlite_database, f"SELECT {n}") for n in range(50)))
    assert [result.rows for result in results] == [((n,),) for n in range(50)]


async def test_garbage_from_a_child_is_no_answer(sqlite_database: Database) -> None:
    ours, theirs = socket.socketpair()
    script = (
        "import os, socket; s = socket.socket(fileno=int(os.sys.argv[1])); s.recv(9999);"
        "s.sendall(b'\\x00\\x00\\x00\\x1a' + b'{\"head\": [[], 0, 0]}\\n[[1]]')"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", script, str(theirs.fileno())], pass_fds=[theirs.fileno()]
    )
    theirs.close()
    ours.setblocking(False)
    child = Child(process, *await asyncio.open_connection(sock=ours), LIMITS)
    result = await child.ask(sqlite_database, "SELECT 1")
    child.kill()
    assert result.error is not None
    assert result.error.kind is QueryErrorKind.GARBAGE


async def test_a_child_is_confined(pool: SandboxPool) -> None:
    assert pool.protections["memory"] == "active"
    assert pool.protections["files_written"] == "active"
    assert pool.protections["tracing"] == "active"
    limits = Path(f"/proc/{only_child(pool).pid}/limits").read_text()
    assert str(LIMITS.address_space_bytes) in limits


async def test_everyone_hears_that_no_child_can_start(sqlite_database: Database) -> None:
    pool = SandboxPool(size=1, limits=Limits(address_space_bytes=16 * 1024**2))
    queries = (pool.run(sqlite_database, "SELECT 1") for _ in range(2))
    found = await asyncio.gather(*queries, return_exceptions=True)
    assert [type(error) for error in found] == [Fatal, Fatal]
    await pool.aclose()


async def test_closing_ends_every_child(sqlite_database: Database) -> None:
    pool = SandboxPool(size=2, limits=LIMITS)
    await pool.start()
    descriptors = [os.pidfd_open(child.pid) for child in pool._children]
    await pool.aclose()
    for descriptor in descriptors:
        assert select.select([descriptor], [], [], 10)[0]


async def test_children_die_with_their_parent() -> None:
    script = (
        "import asyncio, json\n"
        "from streams.verify.sandbox.pool import SandboxPool\n"
        "async def main():\n"
        "    pool = SandboxPool(size=1)\n"
        "    await pool.start()\n"
        "    print(json.dumps([child.pid for child in pool._children]), flush=True)\n"
        "    await asyncio.Event().wait()\n"
        "asyncio.run(main())\n"
    )
    parent = subprocess.Popen(
        [sys.executable, "-c", script], stdout=subprocess.PIPE, cwd=ROOT, text=True
    )
    assert parent.stdout is not None
    (child,) = json.loads(parent.stdout.readline())
    descriptor = os.pidfd_open(child)
    parent.kill()
    parent.communicate()
    assert select.select([descriptor], [], [], 10)[0]


async def test_one_query_runs_on_each_of_several_databases(
    pool: SandboxPool, sqlite_database: Database, duckdb_database: Database
) -> None:
    databases = [duckdb_database, sqlite_database, duckdb_database]
    results = await pool.run_each(databases, "SELECT count(*) FROM sales")
    assert [result.rows for result in results] == [((1000,),), ((3,),), ((1000,),)]


async def test_a_database_that_ends_the_query_leaves_the_others_their_results(
    pool: SandboxPool, sqlite_database: Database, duckdb_database: Database
) -> None:
    # endless where there are rows enough, quick where there are three
    sql = "SELECT sum(a.id * b.id * c.id * d.id % 7) FROM sales a, sales b, sales c, sales d"
    late, quick = await pool.run_each([duckdb_database, sqlite_database], sql)
    assert late.error is not None
    assert late.error.kind is QueryErrorKind.TIMEOUT
    assert len(quick.rows) == 1
