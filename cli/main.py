"""The `prefstream` command: one line a command, each in a module of its own."""

import importlib
import signal
import sys
from collections.abc import Sequence
from importlib import metadata
from typing import Annotated, Any

import click
import typer

from schemas.errors import ConfigError, DependencyDown, Fatal, PrefstreamError

# exit codes of sysexits.h: a script can tell a bad file from a missing server
_EXIT_CONFIG = 78
_EXIT_UNAVAILABLE = 69
_EXIT_SOFTWARE = 70

# (command, module, function): imported only when the command is asked for or listed
_COMMANDS: tuple[tuple[str, str, str], ...] = (
    ("demo", "cli.demo", "demo"),
    ("up", "cli.stack", "up"),
    ("status", "cli.stack", "status"),
    ("down", "cli.stack", "down"),
    ("worker", "cli.worker", "worker"),
    ("sink", "cli.sink", "sink"),
    ("label", "cli.label", "label"),
    ("estimate", "cli.estimate", "estimate"),
    ("import", "cli.import_file", "import_file"),
    ("sample", "cli.sample", "sample"),
    ("query", "cli.query", "query"),
    ("account", "cli.query", "account"),
    ("show", "cli.show", "show"),
    ("export", "cli.export", "export"),
    ("audit", "cli.audit", "audit"),
    ("rejudge", "cli.rejudge", "rejudge"),
    ("best-of-n", "cli.best_of_n", "best_of_n"),
    ("agreement", "cli.agreement", "agreement"),
    ("gate", "cli.gate", "gate"),
    ("train", "cli.train", "train"),
    ("trainer", "cli.trainer", "trainer"),
    ("promote", "cli.promote", "promote"),
    ("rollback", "cli.rollback", "rollback"),
    ("models", "cli.models", "models"),
    ("rounds", "cli.rounds", "rounds"),
    ("tune", "cli.tune", "tune"),
    ("serve", "cli.serve", "serve"),
    ("doctor", "cli.doctor", "doctor"),
    ("backup", "cli.backup", "backup"),
    ("restore", "cli.backup", "restore"),
)
# (group, module): each module has a typer app of its own
_GROUPS: tuple[tuple[str, str], ...] = (
    ("anchors", "cli.anchors"),
    ("calibrate", "cli.calibrate"),
    ("dataset", "cli.dataset"),
    ("judge", "cli.judge"),
    ("filter", "cli.filter"),
    ("rubric", "cli.rubric"),
    ("panel", "cli.panel"),
    ("review", "cli.review"),
    ("verify", "cli.verify"),
    ("vllm", "cli.vllm"),
)

app = typer.Typer(
    name="prefstream",
    help="Live LLM traffic into preference data that can be trusted, and retraining on it.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
)


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"prefstream {metadata.version('prefstream')}")
        raise typer.Exit


@app.callback()
def _prefstream(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Say which.")
    ] = False,
) -> None:
    pass


for _name, _module, _function in _COMMANDS:
    app.command(_name)(getattr(importlib.import_module(_module), _function))
for _name, _module in _GROUPS:
    app.add_typer(importlib.import_module(_module).app, name=_name)


def exit_code(error: PrefstreamError) -> int:
    """Which exit code tells a script what kind of error it was."""
    match error:
        case ConfigError():
            return _EXIT_CONFIG
        case DependencyDown():
            return _EXIT_UNAVAILABLE
        case Fatal():
            return _EXIT_SOFTWARE
    return 1


def main(arguments: Sequence[str] | None = None) -> Any:
    """Run the command line; errors that a user can meet are one sentence on standard error."""
    # SIGTERM ends a command as Ctrl-C does: what it started is stopped on the way out. A shell
    # starts background jobs with SIGINT ignored, so that one is set too.
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, signal.default_int_handler)
    try:
        return app(args=arguments)
    except PrefstreamError as error:
        click.echo(f"prefstream: {error}", err=True)
        sys.exit(exit_code(error))
    except KeyboardInterrupt:
        click.echo("prefstream: interrupted", err=True)
        sys.exit(130)


if __name__ == "__main__":
    main()
