"""`prefstream verify KIND`: checks over a file, without a pipeline. One module a kind."""

import importlib

import typer

# (command, module, function)
_COMMANDS: tuple[tuple[str, str, str], ...] = (
    ("sql", "cli.verify.sql", "sql"),
    ("match", "cli.verify.match", "match"),
    ("json", "cli.verify.json", "verify_json"),
    ("number", "cli.verify.number", "verify_number"),
    ("code", "cli.verify.code", "verify_code"),
)

app = typer.Typer(
    help="Check answers in a file by running them, in the sandbox; no pipeline is needed.",
    no_args_is_help=True,
    rich_markup_mode="rich",
)


for _name, _module, _function in _COMMANDS:
    app.command(_name)(getattr(importlib.import_module(_module), _function))
