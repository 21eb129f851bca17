"""`prefstream rubric`: a change of a rubric as something that can be reviewed."""

import typer

from cli.rubric_diff import diff
from cli.rubric_goldens import run_goldens

app = typer.Typer(
    help="Test a rubric on golden prompts, and see what a new version changes.",
    no_args_is_help=True,
    rich_markup_mode="rich",
)
app.command("test")(run_goldens)
app.command("diff")(diff)
