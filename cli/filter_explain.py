"""`prefstream filter explain`: which rule removes how much, and whether it is right to."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from rich.console import Console

    from consumers.calibration.accuracy import Accuracy
    from consumers.filter_effects import FilterEffects

_TOPIC = "judgments"


def explain(
    source: Annotated[
        str, typer.Argument(help="A judgments.jsonl, or `judgments` for the topic.")
    ] = _TOPIC,
    labels: Annotated[
        Path | None,
        typer.Option(help="People's labels as JSONL; of the topic they come from `labels`."),
    ] = None,
    project: Annotated[
        Path, typer.Option("--project", "-p", help="Project directory with pipeline.yaml.")
    ] = Path(),
    as_json: Annotated[bool, typer.Option("--json", help="The figures as one object.")] = False,
) -> None:
    """Run the project's filter rules over judgments and count what each one removes.

    For each rule: the pairs that it removes, those that no other rule would, and how often the
    judge names the human winner on all anchors, on those that the rule keeps, and on those that
    all other rules keep. Then each combination of rules, and how right the judge is on the anchors
    that it keeps. Anchors of the holdout are left alone.
    Nothing is published: change a threshold in pipeline.yaml and run it again.

    [bold]Examples[/bold]

      prefstream filter explain out/judgments.jsonl --labels labels.jsonl --project DIR
      prefstream filter explain judgments --json | jq '.judges[].rules[] | {rule, removed}'
    """
    from rich.console import Console
    from rich.progress import track

    from cli.events_from import events_from
    from cli.project import load_project
    from consumers.filter_effects import filter_effects
    from infra.settings import Settings
    from schemas.events import Judgment, Label

    loaded, settings = load_project(project), Settings()
    path = None if source == _TOPIC else Path(source)
    given = [] if path and not labels else events_from(labels, Label, settings)
    bar = Console(stderr=True)
    judged = track(
        events_from(path, Judgment, settings),
        description="explaining",
        console=bar,
        disable=not bar.is_terminal,
    )
    found = filter_effects(judged, given, loaded.filter, loaded.calibration.shares)
    if as_json:
        import json

        typer.echo(json.dumps({"judges": [one.model_dump(mode="json") for one in found]}))
        return
    console = Console()
    for one in found:
        _show(console, one)
    if not found:
        typer.echo(f"{source} holds no judgment")


def _show(console: "Console", found: "FilterEffects") -> None:
    from rich.box import SIMPLE_HEAD
    from rich.table import Table

    table = Table(
        box=SIMPLE_HEAD,
        pad_edge=False,
        collapse_padding=True,
        title=f"Judge {found.judge_config_hash}, rubric {found.rubric_version or 'none'}: "
        f"{found.kept} of {found.judgments} judgments become preferences",
    )
    table.add_column("rule", no_wrap=True)
    for column in ("removed", "alone", "anchors", "right %", "95 %", "else %"):
        table.add_column(column, justify="right")
    rows = [(one.rule, one.removed, one.alone, one.after, one.others) for one in found.rules]
    table.add_row("(no rule)", "0", "0", *_cells(found.before), "")
    for rule, removed, alone, after, others in rows:
        table.add_row(rule, str(removed), str(alone), *_cells(after), _cells(others)[1])
    removed = found.judgments - found.kept
    table.add_row("(all rules)", str(removed), "", *_cells(found.after), "")
    table.caption = (
        "alone: by no other rule; right: the judge names the human winner, on anchors that the "
        "rule keeps; else: on those that all other rules keep"
    )
    console.print(table)
    combined = Table("removed", "by exactly these rules", title="Combinations")
    for column in ("anchors they keep", "right %"):
        combined.add_column(column, justify="right")
    for each in found.combinations:
        kept, right, _ = _cells(each.after)
        combined.add_row(str(each.removed), ", ".join(each.rules), kept, right)
    console.print(combined)
    fitted = [f"{one.workload}: {one.sd:.3f}" for one in found.length_spreads]
    if fitted:
        said = f"{{{', '.join(fitted)}}}" if len(fitted) > 1 else fitted[0].rpartition(" ")[2]
        counted = sum(one.n for one in found.length_spreads)
        console.print(
            f"spread of log length ratios over {counted} comparisons: filter.length_sd: {said}",
            highlight=False,
            markup=False,
        )


def _cells(found: "Accuracy") -> tuple[str, str, str]:
    if found.share is None:
        return "0", "–", "–"
    bounds = (found.low, found.share, found.high)
    low, share, high = (f"{100 * number:.1f}" for number in bounds)
    return str(found.n), share, f"{low}–{high}"
