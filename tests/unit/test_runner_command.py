"""`prefstream worker`: what it says without a broker."""

import typer
from typer.testing import CliRunner

from cli.worker import worker


def test_help_has_examples() -> None:
    app = typer.Typer()
    app.command()(worker)
    answer = CliRunner().invoke(app, ["--help"], env={"COLUMNS": "200"})
    assert answer.exit_code == 0
    assert "prefstream worker verify --project" in answer.output
