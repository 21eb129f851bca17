"""Every hostile statement is stopped and touches nothing; every legitimate one runs."""

import os
import re
import socket
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import pytest_asyncio

from streams.verify.databases import Databases, Readable
from streams.verify.sandbox.database import Dialect
from streams.verify.sandbox.limits import Limits
from streams.verify.sandbox.pool import SandboxPool
from streams.verify.settings import DatabaseSettings, VerifySettings
from streams.verify.sql_gate import Rejection, gate_sql
from tests.sql_corpus import hostile_duckdb, hostile_sqlite
from tests.sql_corpus.legitimate import DUCKDB, SQLITE
from tests.sql_corpus.warehouse import ALLOWED, SECRET, build

CANARY = "the-canary-9c2e"
Case = tuple[Dialect, str]


def cases(dialect: Dialect, families: dict[str, list[str]]) -> list[object]:
    return [
        pytest.param(dialect, sql, id=f"{dialect}-{family}-{number}")
        for family, statements in families.items()
        for number, sql in enumerate(statements)
    ]


HOSTILE = cases("duckdb", hostile_duckdb.FAMILIES) + cases("sqlite", hostile_sqlite.FAMILIES)
BOMBS = cases("duckdb", hostile_duckdb.BOMBS) + cases("sqlite", hostile_sqlite.BOMBS)
LEGITIMATE = cases("duckdb", DUCKDB) + cases("sqlite", SQLITE)


def test_there_are_as_many_as_promised() -> None:
    assert len(HOSTILE) + len(BOMBS) >= 300
    assert len(LEGITIMATE) >= 100


@dataclass(frozen=True)
class World:
    """What a statement must neither read, write nor reach, and the readable databases."""

    folder: Path
    listener: socket.socket
    readable: dict[str, Readable]
    pool: SandboxPool

    def placed(self, sql: str) -> str:
        places = {
            "{file}": str(self.folder / "canary.csv"),
            "{out}": str(self.folder / "out"),
            "{port}": str(self.listener.getsockname()[1]),
        }
        return re.sub(r"\{(file|out|port)\}", lambda found: places[found[0]], sql)

    def untouched(self, files: dict[str, bytes]) -> bool:
        try:
            self.listener.accept()
        except BlockingIOError:
            return contents(self.folder) == files
        return False


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    folder = tmp_path_factory.mktemp("corpus")
    build(folder)
    (folder / "canary.csv").write_text(f"a,b\n{CANARY},1\n")
    os.environ["PREFSTREAM_CANARY"] = CANARY
    yield folder
    del os.environ["PREFSTREAM_CANARY"]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def world(folder: Path) -> AsyncIterator[World]:
    settings = VerifySettings(
        databases=tuple(
            DatabaseSettings(name=name, path=f"shop.{name}", dialect=name, views=ALLOWED)
            for name in ("duckdb", "sqlite")
        )
    )
    # a bomb that needs longer than this is none that the gate let through by mistake
    pool = SandboxPool(size=2, limits=Limits(wall_s=0.7))
    databases = Databases(settings, folder, pool)
    listener = socket.create_server(("127.0.0.1", 0))
    listener.setblocking(False)
    readable = {}
    for name in ("duckdb", "sqlite"):
        found = await databases.get(name)
        assert isinstance(found, Readable)
        readable[name] = found
    yield World(folder=folder, listener=listener, readable=readable, pool=pool)
    listener.close()
    await pool.aclose()


@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.parametrize(("dialect", "sql"), HOSTILE)
async def test_the_gate_stops_it(world: World, dialect: Dialect, sql: str) -> None:
    sql = world.placed(sql)
    gated = gate_sql(sql, dialect=dialect, tables=world.readable[dialect].tables)
    assert isinstance(gated, Rejection), "it passed"
    assert gated.reason
    # only a text without any token has no place in it to point at
    has_tokens = re.sub(r"--.*|/\*.*\*/|\s", "", sql) != ""
    assert (gated.position is not None) == has_tokens, gated
    assert gated.position is None or gated.token


@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.parametrize(("dialect", "sql"), BOMBS)
async def test_gate_or_sandbox_stops_a_bomb(world: World, dialect: Dialect, sql: str) -> None:
    readable = world.readable[dialect]
    gated = gate_sql(sql, dialect=dialect, tables=readable.tables)
    if isinstance(gated, Rejection):
        return
    files = contents(world.folder)
    result = await world.pool.run(readable.database, sql)
    assert result.error is not None
    assert result.error.is_the_querys
    assert world.untouched(files)
    alive = await world.pool.run(readable.database, "SELECT count(*) FROM v_revenue_daily")
    assert alive.rows == ((60,),)


@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.parametrize("dialect", ["duckdb", "sqlite"])
async def test_past_the_gate_the_sandbox_gives_nothing_away(world: World, dialect: Dialect) -> None:
    """Whatever the gate stops, sent to the child all the same, touches nothing outside it."""
    families = (hostile_duckdb if dialect == "duckdb" else hostile_sqlite).FAMILIES
    files = contents(world.folder)
    hidden = {"reward hacking", "shadowing", "parser depth"}
    for family, statements in families.items():
        for sql in statements if family not in hidden else ():
            if "v_revenue_daily AS (" in sql or "AS v_revenue_daily" in sql:
                continue  # that nothing takes an allowed view's name is the gate's part
            result = await world.pool.run(world.readable[dialect].database, world.placed(sql))
            shown = repr(result.rows)
            assert CANARY not in shown, sql
            assert SECRET not in shown, sql
    assert world.untouched(files)


@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.parametrize(("dialect", "sql"), LEGITIMATE)
async def test_a_legitimate_query_runs(world: World, dialect: Dialect, sql: str) -> None:
    readable = world.readable[dialect]
    gated = gate_sql(sql, dialect=dialect, tables=readable.tables)
    assert not isinstance(gated, Rejection), str(gated)
    result = await world.pool.run(readable.database, gated.sql)
    assert result.error is None, result.error
