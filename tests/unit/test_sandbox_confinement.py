"""What children cannot reach, the floor below which none runs, and the doctor that shows both."""

import json
import os
import socket
import sqlite3
from dataclasses import replace
from pathlib import Path

import pytest
from typer.testing import CliRunner

from cli.main import app
from schemas.errors import Fatal
from streams.verify.sandbox import attacks
from streams.verify.sandbox.code_pool import CodePool
from streams.verify.sandbox.code_result import CodeTest, Step
from streams.verify.sandbox.confine import ACTIVE
from streams.verify.sandbox.database import Database
from streams.verify.sandbox.examine import examine
from streams.verify.sandbox.floor import CODE_FLOOR, SQL_FLOOR, Floor
from streams.verify.sandbox.limits import Limits
from streams.verify.sandbox.pool import SandboxPool

LIMITS = Limits(wall_s=2.0)
UNHEARD_OF = Floor(kind="code", required=("memory", "moon"))


def shop(folder: Path, name: str) -> Database:
    path = folder / name
    with sqlite3.connect(path) as connection:
        connection.executescript("CREATE TABLE t (x); INSERT INTO t VALUES (1);")
    return Database(dialect="sqlite", path=str(path), tables=frozenset({"t"}))


@pytest.mark.parametrize("floor", [SQL_FLOOR, CODE_FLOOR])
def test_every_protection_of_a_floor_is_needed(floor: Floor) -> None:
    whole = dict.fromkeys(floor.required, ACTIVE)
    floor.require(whole)
    for name in floor.required:
        with pytest.raises(Fatal, match=rf"{name} \(why not\).*remedy"):
            floor.require({**whole, name: "why not"})
        without = {each: state for each, state in whole.items() if each != name}
        with pytest.raises(Fatal, match=rf"{name} \(not reported\)"):
            floor.require(without)


async def test_below_the_floor_no_query_runs(tmp_path: Path) -> None:
    database = shop(tmp_path, "shop.sqlite")
    async with CodePool(size=1, floor=UNHEARD_OF) as codes:
        with pytest.raises(Fatal, match="moon"):
            await codes.run("", [CodeTest(steps=(Step(kind="eval", source="1"),))])
    pool = SandboxPool(size=1, limits=LIMITS, floor=UNHEARD_OF)
    with pytest.raises(Fatal, match="moon"):
        await pool.run(database, "SELECT x FROM t")
    assert not pool._children
    await pool.aclose()


async def test_a_database_named_later_is_readable_and_nothing_beside_it(tmp_path: Path) -> None:
    first, second = shop(tmp_path, "a.sqlite"), shop(tmp_path, "b.sqlite")
    async with SandboxPool(size=1, limits=LIMITS, tasks=["attack"], readable=[first.path]) as pool:
        assert (await pool.run(first, "SELECT x FROM t")).rows == ((1,),)
        stopped = await pool.call("attack", {"attack": "read_file", "arguments": [second.path]})
        assert stopped.error is not None
        assert "Permission" in stopped.error.message
        assert (await pool.run(second, "SELECT x FROM t")).rows == ((1,),)
        assert (await pool.run(first, "SELECT x FROM t")).rows == ((1,),)


async def test_a_readable_folder_needs_no_restart_for_what_is_in_it(tmp_path: Path) -> None:
    async with SandboxPool(size=1, limits=LIMITS, readable=[str(tmp_path)]) as pool:
        (before,) = pool._children
        later = shop(tmp_path, "later.sqlite")
        assert (await pool.run(later, "SELECT x FROM t")).rows == ((1,),)
        assert pool._children == {before}


async def test_attacks_from_within_are_stopped() -> None:
    found = await examine()
    assert found.holds
    assert {probe.child for probe in found.probes} == {"sql", "code"}
    assert [probe.attack.function for probe in found.probes if not probe.held] == []
    through = replace(found.probes[0], held=False)
    assert not replace(found, probes=(*found.probes[1:], through)).holds
    reports = {**found.protections, "code": {"memory": ACTIVE}}
    assert not replace(found, protections=reports).holds


def test_attacks_get_through_where_nothing_stops_them(tmp_path: Path) -> None:
    assert attacks.read_file(__file__).startswith("read")
    assert attacks.write_file(str(tmp_path)) == "wrote a file"
    assert attacks.read_environment(os.getpid()).startswith("read")
    assert attacks.signal_process(os.getpid()).startswith("may signal")
    assert attacks.allocate(1024) == "has 1024 bytes"
    assert attacks.spin(0) == "computed for 0 s"
    with socket.create_server(("127.0.0.1", 0)) as server:
        assert attacks.connect(server.getsockname()[1]) == "connected"


def test_the_doctor_says_whether_it_holds() -> None:
    result = CliRunner().invoke(app, ["doctor", "sandbox", "--json"])
    assert result.exit_code == 0
    found = json.loads(result.stdout)
    assert found["holds"] is True
    assert found["missing"] == {"sql": {}, "code": {}}
    assert found["protections"]["code"]["file_system"] == ACTIVE
    shown = CliRunner().invoke(app, ["doctor", "sandbox"])
    assert "untrusted code may run here" in shown.stdout


def test_the_doctor_fails_below_the_floor(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("streams.verify.sandbox.examine.CODE_FLOOR", UNHEARD_OF)
    result = CliRunner().invoke(app, ["doctor", "sandbox"])
    assert result.exit_code == 1
    assert "moon" in result.stdout
