"""A used version is immutable: its lock, and what is said where it was changed."""

import json
from pathlib import Path

import pytest

from schemas.errors import ConfigError
from streams.judge.lock import lock
from streams.versioned import Versioned


class Tone(Versioned):
    folder = "tones"
    noun = "tone"

    text: str


ONE, CHANGED = (Tone(id="tone", version="1", text=text) for text in ("calm", "loud"))
TWO = Tone(id="tone", version="2", text="calm")


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "tones").mkdir()
    return tmp_path


def test_the_first_use_locks_a_version_and_keeps_the_others(project: Path) -> None:
    for used in (ONE, TWO, ONE):
        lock(project, used)
    locked = json.loads((project / "tones/lock.json").read_text())
    assert locked == {"tone/1": ONE.hash, "tone/2": TWO.hash}


def test_a_changed_version_is_refused_with_the_remedy(project: Path) -> None:
    lock(project, ONE)
    with pytest.raises(ConfigError, match=r"tones/tone/1\.yaml: .*make a new version"):
        lock(project, CHANGED)


@pytest.mark.parametrize("content", ["[]", "{", '{"tone/1": 1}'])
def test_a_damaged_lock_is_named(project: Path, content: str) -> None:
    (project / "tones/lock.json").write_text(content)
    with pytest.raises(ConfigError, match=r"lock\.json is no lock file"):
        lock(project, ONE)


def test_a_folder_that_cannot_be_written_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="cannot be locked"):
        lock(tmp_path, ONE)
