"""The state file: whole at every moment, and nobody's entry is lost."""

import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from infra.stack_state import (
    ClickHouseState,
    ProcessState,
    StackState,
    read_state,
    state_path,
    update_state,
)
from schemas.errors import ConfigError


def test_where_nothing_ran_the_state_is_empty(tmp_path: Path) -> None:
    assert read_state(tmp_path / "none") == StackState()


def test_what_is_written_is_read(tmp_path: Path) -> None:
    owner = ClickHouseState(url="http://127.0.0.1:1", pid=7, started="x")
    written = update_state(tmp_path, lambda s: s.model_copy(update={"clickhouse": owner}))
    assert read_state(tmp_path) == written
    assert written.clickhouse == owner


def test_concurrent_writers_lose_nothing_and_readers_see_whole_files(tmp_path: Path) -> None:
    names = [f"p{n}" for n in range(24)]

    def write(name: str) -> StackState:
        entry = {name: ProcessState(pid=1)}
        update_state(tmp_path, lambda s: s.model_copy(update={"processes": s.processes | entry}))
        return read_state(tmp_path)

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(write, names))
    assert sorted(read_state(tmp_path).processes) == sorted(names)


def test_what_a_newer_version_wrote_is_kept(tmp_path: Path) -> None:
    state_path(tmp_path).write_text(json.dumps({"web": {"url": "http://127.0.0.1:2"}}))
    update_state(tmp_path, lambda s: s.model_copy(update={"ready": True}))
    assert json.loads(state_path(tmp_path).read_text())["web"]["url"] == "http://127.0.0.1:2"


def test_a_broken_file_is_named_with_the_remedy(tmp_path: Path) -> None:
    state_path(tmp_path).write_text('{"kafka": ')
    with pytest.raises(ConfigError, match=r"stack\.json.*prefstream up"):
        read_state(tmp_path)


def test_only_its_owner_reads_it(tmp_path: Path) -> None:
    update_state(tmp_path, lambda s: s)
    assert state_path(tmp_path).stat().st_mode & 0o077 == 0
