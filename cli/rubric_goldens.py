"""`prefstream rubric test`: does the judge still get the golden prompts right?"""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from streams.judge.golden_report import GoldenReport


def run_goldens(
    rubric: Annotated[
        str | None,
        typer.Option(help="ID/VERSION to test. Default: the one of judge.rubric."),
    ] = None,
    project: Annotated[
        Path, typer.Option("--project", "-p", help="Project directory with pipeline.yaml.")
    ] = Path(),
    record: Annotated[
        bool, typer.Option("--record", help="Keep what passes now as what must pass from now on.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="The result as one object.")] = False,
) -> None:
    """Ask the project's judge about goldens/<rubric id>/*.yaml, and show what passes by criterion.

    A golden passes where the judge names its winner, over both orders. Exit code 1 if one fails
    that passed when it was last recorded (goldens/<rubric id>/passed.json, kept in git).

    [bold]Examples[/bold]

      prefstream rubric test --project examples/harbor/project
      prefstream rubric test --rubric harbor/2 --json
      prefstream rubric test --record
    """
    from cli.judging import judge_all
    from infra.settings import Settings
    from schemas.errors import ConfigError
    from streams.judge.golden_report import golden_report
    from streams.judge.goldens import Passed, load_goldens, load_passed, record_passed
    from streams.judge.rubric import load_rubric
    from streams.pipeline import FILE_NAME, build_judge, load_pipeline

    pipeline = load_pipeline(project)
    ref = rubric or pipeline.judge.rubric
    if ref is None:
        raise ConfigError(f"{project / FILE_NAME}: judge.rubric is not set; name one by --rubric")
    tested = load_rubric(project, ref)
    asked = load_goldens(project, tested.id).asked(tested)
    stage = build_judge(project, Settings(), trial=rubric)
    comparisons = [golden.comparison(tested.id, pipeline.workload) for _, golden in asked]
    judged = judge_all(stage, comparisons, f"testing {ref}")
    found = golden_report(asked, judged, tested.id, load_passed(project, tested.id))
    if as_json:
        fields = {"rubric": ref, "judge_config_hash": stage.judge_config_hash}
        typer.echo(_json(fields, found))
    else:
        _show(ref, found)
    if record:
        kept = Passed(rubric=ref, judge_config_hash=stage.judge_config_hash, passed=found.passed)
        path = record_passed(project, tested.id, kept)
        typer.echo(f"recorded {len(found.passed)} of {len(found.results)} in {path}", err=True)
    elif found.regressions:
        typer.echo(
            f"prefstream: {', '.join(found.regressions)} passed before and fails now; change the "
            "rubric, or accept it by --record",
            err=True,
        )
        raise typer.Exit(1)


def _json(fields: dict[str, str], found: "GoldenReport") -> str:
    import json

    return json.dumps(fields | found.model_dump(mode="json"))


def _show(ref: str, found: "GoldenReport") -> None:
    from rich.console import Console
    from rich.table import Table

    console = Console()
    table = Table("criterion", title=f"Golden prompts of {ref}")
    for column in ("goldens", "pass", "passed before, fail now"):
        table.add_column(column, justify="right")
    for one in found.criteria:
        table.add_row(one.criterion, str(one.n), str(one.passed), str(one.regressions))
    console.print(table)
    failing = [one for one in found.results if not one.passes]
    if failing:
        detail = Table("golden", "criterion", "right", "judge", title="Failing")
        detail.add_column("margin", justify="right")
        for result in failing:
            margin = "–" if result.margin is None else f"{result.margin:+.2f}"
            said = result.winner.value if result.winner else "not judged"
            detail.add_row(result.id, result.criterion, result.expected.value, said, margin)
        console.print(detail)
    for what, ids in (("new", found.gained), ("not asked any more", found.gone)):
        if ids:
            console.print(f"{what}: {', '.join(ids)}", highlight=False, markup=False)
