"""`prefstream backup` and `restore`, as an operator types them."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from cli.main import app
from consumers.calibration.holdout_ledger import HoldoutLedger, ledger_path
from infra.settings import Settings
from schemas.errors import ConfigError
from tests.preferences import calibration

RUN = CliRunner()


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PREFSTREAM_DATA_DIR", str(tmp_path / "here"))


def typed(*arguments: str) -> str:
    result = RUN.invoke(app, arguments, catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result.stdout


def test_what_a_machine_lost_comes_back_on_another(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    typed("review", "user", "add", "ann", "--role", "lead")
    HoldoutLedger(ledger_path(Settings())).look(calibration())
    file = str(tmp_path / "b.tar.gz")
    assert "review.jsonl, ledger.jsonl" in typed("backup", file)

    monkeypatch.setenv("PREFSTREAM_DATA_DIR", str(tmp_path / "there"))
    found = json.loads(typed("restore", file, "--json"))
    assert (found["rows"]["people"], found["ledger"]) == (1, "restored")
    assert typed("review", "user", "list").split() == ["ann", "lead"]
    assert len(HoldoutLedger(ledger_path(Settings())).entries()) == 1


def test_a_backup_is_its_owners_alone_and_never_replaced(tmp_path: Path) -> None:
    file = tmp_path / "b.tar.gz"
    assert json.loads(typed("backup", str(file), "--json"))["format"] == "prefstream backup 1"
    assert file.stat().st_mode & 0o077 == 0
    with pytest.raises(ConfigError, match="exists already"):
        typed("backup", str(file))


def test_what_is_no_backup_is_said_to_be_none(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("not a tar")
    with pytest.raises(ConfigError, match="is no backup, or is damaged"):
        typed("restore", str(tmp_path / "notes.txt"))
    with pytest.raises(ConfigError, match="no such file"):
        typed("restore", str(tmp_path / "nowhere.tar.gz"))
