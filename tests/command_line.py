"""`prefstream`, called in this process: no second start of torch."""

from pathlib import Path

from typer.testing import CliRunner, Result

from cli.main import app


def prefstream(*arguments: str | Path | int) -> Result:
    """What the command line gave; an error that a user meets is its exception."""
    return CliRunner().invoke(app, [str(argument) for argument in arguments])
