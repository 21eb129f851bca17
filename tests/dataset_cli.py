"""`prefstream dataset` and `prefstream train`, called in this process: no second start of torch."""

from pathlib import Path

import typer
from typer.testing import CliRunner, Result

from cli.dataset import dataset
from cli.train import train

_APP = typer.Typer()
for _command in (dataset, train):
    _APP.command(_command.__name__)(_command)


def prefstream(*arguments: str | Path) -> Result:
    """What the command line gave."""
    return CliRunner().invoke(_APP, [str(argument) for argument in arguments])
