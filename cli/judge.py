"""`prefstream judge`: put a judge to the test."""

import typer

from cli.judge_attack import attack

app = typer.Typer(help="Put a judge to the test.", no_args_is_help=True, rich_markup_mode="rich")
app.command("attack")(attack)


@app.callback()
def _group() -> None:
    """A group also while it has one command."""
