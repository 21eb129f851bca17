"""`prefstream judge`: put a judge to the test, or let it rank answers."""

import typer

from cli.judge_attack import attack
from cli.judge_rank import rank
from cli.judge_strength import strength

app = typer.Typer(
    help="Put a judge to the test, or let it rank answers.",
    no_args_is_help=True,
    rich_markup_mode="rich",
)
app.command("attack")(attack)
app.command("rank")(rank)
app.command("strength")(strength)
