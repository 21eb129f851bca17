"""The cache gives what the gate gives, for the tables it was asked about."""

from streams.verify.databases import Readable
from streams.verify.gate_cache import GateCache
from streams.verify.sandbox.database import Database
from streams.verify.semantics import semantics
from streams.verify.sql_gate import Rejection

RESULT_MATCH = semantics("result_match")


def readable(*tables: str) -> Readable:
    columns = dict.fromkeys(tables, frozenset({"id"}))
    database = Database(dialect="duckdb", path="", tables=frozenset(tables))
    return Readable(database=database, tables=columns)


def test_a_verdict_is_of_its_own_tables() -> None:
    cache, sql = GateCache(RESULT_MATCH), "SELECT id FROM a"
    with_a, without = readable("a"), readable("b")
    for _ in range(2):
        assert cache.allowed(with_a, sql) == sql
        assert isinstance(cache.allowed(without, sql), Rejection)
    assert cache.allowed(without, sql) is cache.allowed(without, sql)


def test_the_longest_unused_goes_first() -> None:
    cache, tables = GateCache(RESULT_MATCH, kept=2), readable("a")
    first, other = (cache.allowed(tables, f"SELECT x{n} FROM a") for n in range(2))
    assert cache.allowed(tables, "SELECT x0 FROM a") is first
    cache.allowed(tables, "SELECT x2 FROM a")
    assert cache.allowed(tables, "SELECT x0 FROM a") is first
    assert cache.allowed(tables, "SELECT x1 FROM a") is not other


def test_what_is_kept_is_the_prepared_query() -> None:
    cache = GateCache(semantics("spider_exec"))
    for _ in range(2):
        assert cache.allowed(readable("a"), "SELECT DISTINCT id FROM a") == "SELECT  id FROM a"
