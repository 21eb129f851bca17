"""A Postgres replica, against a real server: reads what it may, and nothing else gets through."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path

import psycopg
import pytest
import pytest_asyncio

from schemas.errors import ConfigError
from schemas.records import Check, CheckStatus, Expectation, ExpectationKind, Outcome
from streams.verify.sandbox.database import Database
from streams.verify.sandbox.limits import Limits
from streams.verify.sandbox.replica_pool import Replica, ReplicaPool
from streams.verify.sandbox.result import QueryErrorKind, QueryResult
from streams.verify.settings import DatabaseSettings, VerifySettings
from streams.verify.verifier import Verdict, Verifier
from tests.postgres import Cluster, cluster, server_binaries

BINARIES = server_binaries()

pytestmark = [
    pytest.mark.asyncio(loop_scope="module"),
    pytest.mark.skipif(BINARIES is None, reason="no Postgres server (initdb, pg_ctl) is installed"),
]

PASSWORD = "for-this-test-only"
DATABASE = Database(dialect="postgres", path="postgres:shop", tables=frozenset())
SETUP = """
CREATE TABLE raw_sales (id int PRIMARY KEY, region text, sold date, price numeric(10, 2));
INSERT INTO raw_sales SELECT i, (ARRAY['EMEA', 'APAC'])[1 + i % 2], DATE '2024-01-01' + i, i * 1.5
    FROM generate_series(1, 200) i;
CREATE TABLE secret (word text);
INSERT INTO secret VALUES ('hush');
CREATE VIEW v_sales AS SELECT id, region, sold, price FROM raw_sales;
CREATE VIEW v_kinds AS SELECT 1 AS n, 2.50::numeric AS d, DATE '2024-02-29' AS day, NULL AS nothing,
    TIMESTAMPTZ '2024-01-01 12:00+02' AS moment, '\\x00ff'::bytea AS raw, ARRAY[1, 2] AS list,
    '{"a": 1}'::jsonb AS doc, int4range(1, 5) AS span;
CREATE ROLE reader LOGIN PASSWORD 'for-this-test-only';
GRANT SELECT ON v_sales, v_kinds TO reader;
CREATE ROLE writer LOGIN PASSWORD 'for-this-test-only';
GRANT SELECT, INSERT, DELETE ON secret TO writer;
CREATE ROLE files LOGIN PASSWORD 'for-this-test-only' IN ROLE pg_read_server_files;
"""


@pytest.fixture(scope="module")
def server() -> Iterator[Cluster]:
    assert BINARIES is not None
    with cluster(BINARIES, PASSWORD) as running:
        with psycopg.connect(running.dsn("admin", PASSWORD), autocommit=True) as connection:
            connection.execute(SETUP)
        yield running


def pool_of(server: Cluster, user: str) -> ReplicaPool:
    replica = Replica(dsn=server.dsn(user, PASSWORD), schema="public")
    limits = Limits(wall_s=4.0, rows=1000, result_bytes=1_000_000)
    return ReplicaPool(replica, size=1, limits=limits)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def reader(server: Cluster) -> AsyncIterator[ReplicaPool]:
    pool = pool_of(server, "reader")
    yield pool
    pool.close()


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def verifier(
    server: Cluster, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Verifier]:
    settings = VerifySettings(
        databases=(
            DatabaseSettings(name="shop", dialect="postgres", dsn_env="SHOP_DSN", views=("v_*",)),
        ),
        children=1,
    )
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SHOP_DSN", server.dsn("reader", PASSWORD))
        verifier = Verifier(settings, tmp_path_factory.mktemp("project"))
    async with verifier:
        yield verifier


async def verify(verifier: Verifier, answer: str, gold: str) -> tuple[Verdict, Check]:
    verdict = await verifier.verify_output(
        answer, [Expectation(kind=ExpectationKind.GOLDEN_SQL, spec=gold)]
    )
    told = [c for c in verdict.checks if c.status not in (CheckStatus.PASS, CheckStatus.SKIP)]
    return verdict, (told or list(verdict.checks))[-1]


def kind(result: QueryResult) -> QueryErrorKind | None:
    return None if result.error is None else result.error.kind


async def test_an_answer_is_verified_on_the_replica(verifier: Verifier) -> None:
    gold = "SELECT region, sum(price) FROM v_sales WHERE sold >= DATE '2024-03-01' GROUP BY region"
    right = (
        "SELECT sum(v.price) AS revenue, v.region FROM v_sales v "
        "WHERE NOT v.sold < '2024-03-01' GROUP BY v.region ORDER BY 1"
    )
    verdict, _ = await verify(verifier, right, gold)
    assert verdict.outcome is Outcome.PASSED, verdict.checks
    verdict, check = await verify(verifier, right.replace("-03-", "-04-"), gold)
    assert verdict.outcome is Outcome.FAILED
    assert check.name == "sql_result_match"


@pytest.mark.parametrize(
    "answer",
    [
        "SELECT word FROM secret",
        "SELECT 1; DROP TABLE raw_sales",
        "DELETE FROM raw_sales",
        "SELECT pg_read_file('/etc/passwd') FROM v_sales",
        "SELECT set_config('transaction_read_only', 'off', false) FROM v_sales",
        "SELECT pg_sleep(60) FROM v_sales",
        "SELECT usename FROM pg_shadow",
        "SELECT current_user FROM v_sales",
        "COPY v_sales TO PROGRAM 'id'",
        "SELECT lo_import('/etc/passwd') FROM v_sales",
        "SELECT dblink('host=127.0.0.1', 'select 1') FROM v_sales",
        "SELECT * FROM v_sales FOR UPDATE",
        "SELECT id INTO stolen FROM v_sales",
        "WITH gone AS (DELETE FROM raw_sales RETURNING id) SELECT id FROM gone",
    ],
)
async def test_the_gate_stops_what_is_no_query_over_the_views(
    verifier: Verifier, answer: str
) -> None:
    verdict, check = await verify(verifier, answer, "SELECT id FROM v_sales")
    assert verdict.outcome is Outcome.FAILED
    assert check.name == "sql_gate"


@pytest.mark.parametrize(
    ("sql", "said"),
    [
        ("SELECT word FROM secret", "permission denied"),
        ("SELECT 1; COMMIT", "cannot insert multiple commands"),
        ("SELECT 1; DROP TABLE raw_sales; --", "cannot insert multiple commands"),
        ("DELETE FROM raw_sales", "syntax error"),
        ("WITH x AS (DELETE FROM raw_sales RETURNING 1) SELECT * FROM x", "DECLARE CURSOR"),
        ("SELECT * FROM v_sales FOR UPDATE", "permission denied"),
        ("SELECT pg_read_file('/etc/passwd')", "permission denied"),
        ("SELECT set_config('session_authorization', 'admin', false)", "permission denied"),
    ],
)
async def test_what_passed_the_gate_would_be_stopped_by_the_server(
    reader: ReplicaPool, sql: str, said: str
) -> None:
    result = await reader.ask(DATABASE, sql)
    assert result.error is not None
    assert said in result.error.message
    assert (await reader.ask(DATABASE, "SELECT count(*) FROM v_sales")).rows == ((200,),)


async def test_writing_is_refused_even_to_a_role_that_may_write(server: Cluster) -> None:
    pool = pool_of(server, "writer")
    try:
        # a function runs whatever it likes: only the transaction holds it back
        with psycopg.connect(server.dsn("admin", PASSWORD), autocommit=True) as admin:
            admin.execute(
                "CREATE FUNCTION erase() RETURNS bigint LANGUAGE sql AS "
                "'WITH d AS (DELETE FROM secret RETURNING 1) SELECT count(*) FROM d'"
            )
        result = await pool.ask(DATABASE, "SELECT erase()")
        assert result.error is not None
        assert "read-only transaction" in result.error.message
        assert (await pool.ask(DATABASE, "SELECT count(*) FROM secret")).rows == ((1,),)
    finally:
        pool.close()


async def test_what_a_read_only_transaction_lets_through_is_rolled_back(
    reader: ReplicaPool, server: Cluster
) -> None:
    # up to version 15 large objects may be made in one
    await reader.ask(DATABASE, "SELECT lo_create(0)")
    with psycopg.connect(server.dsn("admin", PASSWORD), autocommit=True) as admin:
        assert admin.execute("SELECT count(*) FROM pg_largeobject_metadata").fetchone() == (0,)


@pytest.mark.parametrize("user", ["admin", "files"])
async def test_a_role_that_may_do_more_than_read_is_refused(server: Cluster, user: str) -> None:
    pool = pool_of(server, user)
    result = await pool.ask(DATABASE, "SELECT 1")
    pool.close()
    assert kind(result) is QueryErrorKind.DATABASE
    assert result.error is not None
    assert "may do more than read" in result.error.message


async def test_values_keep_their_types(reader: ReplicaPool) -> None:
    result = await reader.ask(DATABASE, "SELECT * FROM v_kinds")
    assert " ".join(result.columns) == "n d day nothing moment raw list doc span"
    assert result.rows == (
        (
            1, Decimal("2.50"), date(2024, 2, 29), None, datetime(2024, 1, 1, 10, tzinfo=UTC),
            b"\x00\xff", (1, 2), (("a", 1),), "[1, 5)",
        ),
    )  # fmt: skip


async def test_only_what_the_role_may_read_is_in_the_schema(reader: ReplicaPool) -> None:
    result = await reader.ask(DATABASE, None)
    assert {table for table, _ in result.rows} == {"v_sales", "v_kinds"}


async def test_the_child_has_no_network_but_its_connection(reader: ReplicaPool) -> None:
    await reader.ask(DATABASE, "SELECT 1")
    assert reader.protections["network"] == "active"


async def test_a_bomb_ends_at_the_server_and_the_connection_lives(reader: ReplicaPool) -> None:
    sql = "SELECT count(*) FROM v_sales a, v_sales b, v_sales c, v_sales d, v_sales e"
    before = await reader.ask(DATABASE, "SELECT pg_backend_pid()")
    result = await reader.ask(DATABASE, sql)
    assert kind(result) is QueryErrorKind.TIMEOUT
    assert (await reader.ask(DATABASE, "SELECT pg_backend_pid()")).rows == before.rows


async def test_ten_million_rows_are_cut_and_large_ones_refused(reader: ReplicaPool) -> None:
    many = await reader.ask(DATABASE, "SELECT a.id FROM v_sales a, v_sales b, v_sales c, v_sales d")
    assert (len(many.rows), many.truncated) == (1000, True)
    large = await reader.ask(DATABASE, "SELECT repeat('x', 100000) FROM v_sales")
    assert kind(large) is QueryErrorKind.TOO_LARGE


async def test_a_value_too_large_for_the_child_leaves_a_good_pool(reader: ReplicaPool) -> None:
    result = await reader.ask(DATABASE, "SELECT repeat('x', 900000000) || repeat('y', 100000000)")
    assert result.error is not None
    assert (await reader.ask(DATABASE, "SELECT 1")).rows == ((1,),)


async def test_data_that_changed_is_seen_and_gold_asked_again(
    verifier: Verifier, server: Cluster
) -> None:
    gold = "SELECT count(*) FROM v_sales"
    assert (await verify(verifier, gold, gold))[0].outcome is Outcome.PASSED
    with psycopg.connect(server.dsn("admin", PASSWORD), autocommit=True) as admin:
        admin.execute("INSERT INTO raw_sales VALUES (1000, 'EMEA', '2025-01-01', 1)")
    verdict, check = await verify(verifier, gold, gold)
    assert verdict.outcome is Outcome.PASSED, check.evidence


async def test_a_lost_connection_is_made_anew(reader: ReplicaPool, server: Cluster) -> None:
    await reader.ask(DATABASE, "SELECT 1")
    with psycopg.connect(server.dsn("admin", PASSWORD), autocommit=True) as admin:
        admin.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'reader'"
        )
    lost = await reader.ask(DATABASE, "SELECT 1")
    assert kind(lost) in (None, QueryErrorKind.DATABASE)
    assert (await reader.ask(DATABASE, "SELECT 1")).rows == ((1,),)


async def test_a_server_that_is_down_is_an_error_with_its_reason(tmp_path: Path) -> None:
    settings = VerifySettings(
        databases=(DatabaseSettings(name="shop", dialect="postgres", dsn_env="NO_SERVER"),),
        children=1,
    )
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("NO_SERVER", f"postgresql://reader:{PASSWORD}@127.0.0.1:1/postgres")
        down = Verifier(settings, tmp_path)
    try:
        verdict, check = await asyncio.wait_for(verify(down, "SELECT 1", "SELECT 1"), 60)
    finally:
        await down.aclose()
    assert verdict.outcome is Outcome.UNDECIDED
    assert check.status is CheckStatus.ERROR
    assert "no connection" in check.evidence
    assert PASSWORD not in check.evidence


async def test_a_replica_without_its_address_is_a_config_error(tmp_path: Path) -> None:
    database = DatabaseSettings(name="shop", dialect="postgres", dsn_env="PREFSTREAM_NOT_SET")
    with pytest.raises(ConfigError, match="PREFSTREAM_NOT_SET is not set"):
        Verifier(VerifySettings(databases=(database,)), tmp_path)
