"""Room beside a folder that is made: emptied after a kill, and never shared."""

import errno
from pathlib import Path

import pytest

from cli.scratch import scratch
from schemas.errors import ConfigError, Fatal


def test_what_a_killed_one_left_is_cleaned_by_the_next_one(tmp_path: Path) -> None:
    left = tmp_path / ".data.freezing" / "spilled"
    left.mkdir(parents=True)
    (left.parent / "000000000000.parquet").write_bytes(b"half")
    with scratch(tmp_path / "data", "freezing") as folder:
        assert list(folder.iterdir()) == []
    assert list(tmp_path.iterdir()) == []


def test_a_disk_that_fills_meanwhile_is_one_sentence_and_leaves_nothing(tmp_path: Path) -> None:
    full = OSError(errno.ENOSPC, "No space left on device")
    with pytest.raises(Fatal, match="no room to write"), scratch(tmp_path / "data", "freezing"):
        raise full
    assert list(tmp_path.iterdir()) == []


def test_folders_above_go_too_unless_something_was_written_there(tmp_path: Path) -> None:
    with scratch(tmp_path / "some" / "where" / "data", "freezing"):
        pass
    assert list(tmp_path.iterdir()) == []
    with scratch(tmp_path / "some" / "where" / "data", "freezing"):
        (tmp_path / "some" / "where" / "data").mkdir()
    assert [path.name for path in (tmp_path / "some" / "where").iterdir()] == ["data"]


def test_two_are_not_at_one_folder(tmp_path: Path) -> None:
    with scratch(tmp_path / "data", "freezing") as first:
        (first / "half").touch()
        with (
            pytest.raises(ConfigError, match="another process is freezing there"),
            scratch(tmp_path / "data", "freezing"),
        ):
            pass
        assert (first / "half").exists()
