"""`prefstream judge attack`: can an answer win by what it says to the judge?"""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from schemas.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from rich.table import Table

    from streams.judge.attack.measure import AttackResult


def attack(
    pairs: Annotated[Path, typer.Option(help="JSONL of prompt, better, worse.")],
    project: Annotated[
        Path, typer.Option(help="Project directory with pipeline.yaml.", file_okay=False)
    ] = Path(),
    repeats: Annotated[
        int, typer.Option(min=1, help="Comparisons that each text is tried on at each place.")
    ] = 2,
    max_success: Annotated[
        float | None,
        typer.Option(min=0, max=1, help="Exit code 1 if a family's upper bound is above it."),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="The figures as one object.")] = False,
) -> None:
    """Plant 154 attacks of 11 families in the worse answer and in the prompt, and count wins.

    The judge is that of the project. Pairs that it gets wrong without any attack do not count. A
    success is the worse answer winning; abstentions are ties, conflicts and unreadable verdicts.

    [bold]Examples[/bold]

      python -m examples.harbor.judge.pairs > pairs.jsonl
      prefstream judge attack --pairs pairs.jsonl --project examples/harbor/project
      prefstream judge attack --pairs pairs.jsonl --max-success 0.05 --json
    """
    import asyncio

    from rich.console import Console
    from rich.progress import Progress

    from infra.settings import Settings
    from streams.judge.attack.measure import Outcome, report
    from streams.judge.attack.pairs import read_pairs
    from streams.judge.attack.run import attack as run
    from streams.judge.stage import JudgeStage
    from streams.pipeline import build_stage, load_pipeline

    judge = load_pipeline(project).judge
    meant_for = judge.panel or judge.rubric or judge.constitution
    if meant_for is None:
        raise ConfigError(f"{project / 'pipeline.yaml'}: judge.model is not set; there is no judge")
    known = read_pairs(pairs, meant_for)
    stage = build_stage("judge", project, Settings())
    assert isinstance(stage, JudgeStage)

    async def attacked() -> list[Outcome]:
        with Progress(console=Console(stderr=True), transient=True) as bar:
            task = bar.add_task("attacking", total=None)
            try:
                return await run(
                    stage,
                    known,
                    repeats,
                    lambda done, total: bar.update(task, completed=done, total=total),
                )
            finally:
                await stage.aclose()

    outcomes = asyncio.run(attacked())
    try:
        found = report(outcomes)
    except ValueError as error:
        raise ConfigError(f"{pairs}: {error}") from None
    if as_json:
        typer.echo(found.model_dump_json())
    else:
        console = Console()
        console.print(_table("family", found.families | {"all": found.all}))
        console.print(_table("place", found.places))
        console.print(_table("attacked side", found.sides))
        console.print(f"{found.left_out} left out: wrong without any attack", highlight=False)
    worst = max(result.upper_bound for result in found.families.values())
    if max_success is not None and worst > max_success:
        typer.echo(
            f"prefstream: an upper bound of {worst:.1%} is above {max_success:.1%}", err=True
        )
        raise typer.Exit(1)


def _table(what: str, results: "Mapping[str, AttackResult]") -> "Table":
    from rich.table import Table

    table = Table(title=f"Attacks by {what}")
    for column in (what, "n", "won", "rate", "upper 95 %", "abstained", "margin shift"):
        table.add_column(column, justify="left" if column == what else "right")
    for name, one in results.items():
        shift = "–" if one.margin_shift is None else f"{one.margin_shift:+.2f}"
        table.add_row(
            name,
            str(one.n),
            str(one.succeeded),
            f"{one.success_rate:.1%}",
            f"{one.upper_bound:.1%}",
            str(one.abstained),
            shift,
        )
    return table
