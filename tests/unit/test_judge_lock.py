"""A used version is immutable: its lock, and what is said where it was changed."""

import json
from pathlib import Path

import pytest

from schemas.errors import ConfigError
from schemas.ids import ConfigHash
from streams.judge.lock import lock

ONE, OTHER = ConfigHash("a" * 16), ConfigHash("b" * 16)


def test_the_first_use_locks_a_version_and_keeps_the_others(tmp_path: Path) -> None:
    lock(tmp_path, "tone/1", ONE)
    lock(tmp_path, "tone/2", OTHER)
    lock(tmp_path, "tone/1", ONE)
    assert json.loads((tmp_path / "lock.json").read_text()) == {"tone/1": ONE, "tone/2": OTHER}


def test_a_changed_version_is_refused_with_the_remedy(tmp_path: Path) -> None:
    lock(tmp_path, "tone/1", ONE)
    with pytest.raises(ConfigError, match=r"tone/1\.yaml: .*make a new version"):
        lock(tmp_path, "tone/1", OTHER)


@pytest.mark.parametrize("content", ["[]", "{", '{"tone/1": 1}'])
def test_a_damaged_lock_is_named(tmp_path: Path, content: str) -> None:
    (tmp_path / "lock.json").write_text(content)
    with pytest.raises(ConfigError, match=r"lock\.json is no lock file"):
        lock(tmp_path, "tone/1", ONE)


def test_a_folder_that_cannot_be_written_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="cannot be locked"):
        lock(tmp_path / "nowhere", "tone/1", ONE)
