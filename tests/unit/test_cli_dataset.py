"""`prefstream dataset` on folders alone: what is shown, and which options each action knows."""

import json
from pathlib import Path

import pytest

from schemas.errors import ConfigError
from tests.command_line import prefstream
from tests.frozen_rows import frozen_rows
from tests.preferences import preference
from trainer.dataset import write


@pytest.fixture
def folders(tmp_path: Path) -> tuple[Path, Path]:
    one, two = tmp_path / "one", tmp_path / "two"
    write(frozen_rows([preference("a"), preference("b")]), one)
    write(frozen_rows([preference("b"), preference("c")]), two)
    return one, two


def test_show_prints_the_manifest(folders: tuple[Path, Path]) -> None:
    shown = prefstream("dataset", "show", folders[0])
    assert shown.exit_code == 0, shown.exception
    assert json.loads(shown.stdout)["rows"] == 2
    assert "manifest hash" in shown.stderr


def test_diff_says_what_each_has_alone(folders: tuple[Path, Path]) -> None:
    found = json.loads(prefstream("dataset", "diff", *folders).stdout)
    assert (found["shared"], found["only_first"]["rows"], found["only_second"]["rows"]) == (1, 1, 1)


def test_what_was_frozen_without_a_log_is_not_called_another(folders: tuple[Path, Path]) -> None:
    refused = prefstream("dataset", "verify", folders[0])
    assert isinstance(refused.exception, ConfigError)
    assert "its rows are the manifest's, but they were frozen without Kafka" in str(
        refused.exception
    )


@pytest.mark.parametrize("action", ["show", "diff", "verify"])
def test_options_of_freezing_are_not_ignored(action: str, folders: tuple[Path, Path]) -> None:
    named = folders if action == "diff" else folders[:1]
    refused = prefstream("dataset", action, *named, "--rubric", "shop/polite")
    assert refused.exit_code == 2
