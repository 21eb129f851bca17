"""`prefstream filter`: what the filter's rules do."""

import typer

from cli.filter_explain import explain

app = typer.Typer(help="What the filter's rules do.", no_args_is_help=True, rich_markup_mode="rich")
app.command("explain")(explain)


@app.callback()
def _group() -> None:
    """A group also while it has one command."""
