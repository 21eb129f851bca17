"""`prefstream --version` names the release that pyproject.toml does."""

import tomllib
from pathlib import Path

from typer.testing import CliRunner

from cli.main import app


def test_the_command_says_which_release_it_is() -> None:
    project = tomllib.loads((Path(__file__).parents[2] / "pyproject.toml").read_text())
    said = CliRunner().invoke(app, ["--version"])
    assert (said.exit_code, said.stdout) == (0, f"prefstream {project['project']['version']}\n")
