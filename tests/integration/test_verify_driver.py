"""Warehouses behind a DB-API driver: two real drivers, one of them against a real server."""

import json
import sqlite3
from pathlib import Path

import psycopg
import pytest

from schemas.errors import ConfigError
from schemas.records import Expectation, ExpectationKind, Outcome
from streams.verify.settings import DatabaseSettings, VerifySettings
from streams.verify.verifier import Verdict, Verifier
from tests.postgres import cluster, server_binaries

pytestmark = pytest.mark.integration

BINARIES = server_binaries()
PASSWORD = "for-this-test-only"
GOLD = "SELECT region, SUM(price) FROM v_sales GROUP BY region"
RIGHT = "SELECT SUM(v.price) AS revenue, v.region FROM v_sales AS v GROUP BY v.region"
WRONG = "SELECT region, MAX(price) FROM v_sales GROUP BY region"


async def verify(verifier: Verifier, answer: str, gold: str = GOLD) -> Verdict:
    return await verifier.verify_output(
        answer, [Expectation(kind=ExpectationKind.GOLDEN_SQL, spec=gold)]
    )


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    path = tmp_path / "shop.sqlite"
    with sqlite3.connect(path) as connection:
        connection.executescript(
            "CREATE TABLE raw_sales (region TEXT, price REAL);"
            "INSERT INTO raw_sales VALUES ('EMEA', 10), ('EMEA', 5), ('APAC', 7);"
            "CREATE VIEW v_sales AS SELECT region, price FROM raw_sales;"
        )
    connection.close()
    return path


def by_sqlite3(dialect: str = "mysql") -> VerifySettings:
    """The standard library's own driver; to the gate it is a server of which it knows little."""
    database = DatabaseSettings(
        name="shop",
        dialect=dialect,
        driver="sqlite3",
        dsn_env="SHOP_DSN",
        views=("v_*",),
        session=("PRAGMA query_only = ON",),
        columns_query=(
            "SELECT m.name, p.name FROM sqlite_master AS m, pragma_table_info(m.name) AS p"
        ),
        state_query="PRAGMA data_version",
    )
    return VerifySettings(databases=(database,), children=1)


async def test_answers_are_verified_through_any_driver(
    shop: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    address = {"database": f"file:{shop}?mode=ro&immutable=1", "uri": True}
    monkeypatch.setenv("SHOP_DSN", json.dumps(address))
    async with Verifier(by_sqlite3(), tmp_path) as verifier:
        assert (await verify(verifier, RIGHT)).outcome is Outcome.PASSED
        assert (await verify(verifier, WRONG)).outcome is Outcome.FAILED
        for hostile in (
            "SELECT price FROM raw_sales",
            "DELETE FROM v_sales",
            "SELECT load_extension('x') FROM v_sales",
            "SELECT sleep(60) FROM v_sales",
            "SELECT 1; DROP VIEW v_sales",
        ):
            verdict = await verify(verifier, hostile)
            assert verdict.outcome is Outcome.FAILED, (hostile, verdict.checks)
            failed = [check.name for check in verdict.checks if check.status.value == "FAIL"]
            assert failed == ["sql_gate"]
        # and after all of it the connection still answers
        assert (await verify(verifier, RIGHT)).outcome is Outcome.PASSED


@pytest.mark.skipif(BINARIES is None, reason="no Postgres server is installed")
async def test_a_server_behind_a_driver(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert BINARIES is not None
    with (
        cluster(BINARIES, PASSWORD) as server,
        psycopg.connect(server.dsn("admin", PASSWORD), autocommit=True) as connection,
    ):
        connection.execute(
            "CREATE TABLE raw_sales (region text, price numeric(10, 2));"
            "INSERT INTO raw_sales VALUES ('EMEA', 10), ('EMEA', 5), ('APAC', 7);"
            "CREATE VIEW v_sales AS SELECT region, price FROM raw_sales;"
            f"CREATE ROLE reader LOGIN PASSWORD '{PASSWORD}';"
            "GRANT SELECT ON v_sales TO reader;"
        )
        monkeypatch.setenv("SHOP_DSN", server.dsn("reader", PASSWORD))
        database = DatabaseSettings(
            name="shop",
            dialect="redshift",
            driver="psycopg",
            dsn_env="SHOP_DSN",
            views=("v_*",),
            session=("SET default_transaction_read_only = on", "SET statement_timeout = 2000"),
            state_query="SELECT pg_current_snapshot()::text",
        )
        settings = VerifySettings(databases=(database,), children=1)
        async with Verifier(settings, tmp_path) as verifier:
            assert (await verify(verifier, RIGHT)).outcome is Outcome.PASSED
            assert (await verify(verifier, WRONG)).outcome is Outcome.FAILED
            connection.execute("INSERT INTO raw_sales VALUES ('LATAM', 1)")
            assert (await verify(verifier, RIGHT)).outcome is Outcome.PASSED


async def test_a_driver_that_cannot_connect_is_an_error_without_the_address(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SHOP_DSN", json.dumps({"database": "/no/such/secret-place/file.db"}))
    async with Verifier(by_sqlite3(), tmp_path) as verifier:
        verdict = await verify(verifier, RIGHT)
    assert verdict.outcome is Outcome.UNDECIDED
    evidence = " ".join(check.evidence for check in verdict.checks)
    assert "sqlite3 raised OperationalError" in evidence
    assert "secret-place" not in evidence


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"driver": None}, "dsn_env"),
        ({"driver": None, "dsn_env": None, "path": "x"}, "name its driver too"),
        ({"path": "x"}, "no path"),
        ({"dialect": "klingon"}, "dialect 'klingon' is none of"),
    ],
)
def test_what_does_not_fit_together_is_told(change: dict[str, str | None], said: str) -> None:
    fields = {"name": "shop", "dialect": "mysql", "driver": "pymysql", "dsn_env": "SHOP_DSN"}
    with pytest.raises(ValueError, match=said):
        DatabaseSettings.model_validate(fields | change)


def test_a_missing_driver_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SHOP_DSN", "x")
    database = by_sqlite3().databases[0].model_copy(update={"driver": "no_such_driver.dbapi"})
    with pytest.raises(ConfigError, match="no module no_such_driver"):
        Verifier(VerifySettings(databases=(database,)), tmp_path)
