"""`prefstream rubric diff`: what a new version changes, in words and in verdicts."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from rich.console import Console

    from schemas.events import Comparison
    from streams.judge.golden_report import GoldenReport
    from streams.judge.rubric import Rubric
    from streams.judge.rubric_diff import RubricChange

_TOPIC = "comparisons"


def diff(
    old: Annotated[str, typer.Argument(help="ID/VERSION that is in use.")],
    new: Annotated[str, typer.Argument(help="ID/VERSION that shall follow it.")],
    project: Annotated[
        Path, typer.Option("--project", "-p", help="Project directory with pipeline.yaml.")
    ] = Path(),
    anchors: Annotated[
        str | None,
        typer.Option(
            help="Also judge these anchors: a comparisons.jsonl, or `comparisons` for the topic."
        ),
    ] = None,
    labels: Annotated[
        Path | None, typer.Option(help="People's labels as JSONL. Default: the topic.")
    ] = None,
    verdicts: Annotated[
        bool, typer.Option(help="Ask the judge; without it only the texts are compared.")
    ] = True,
    as_json: Annotated[bool, typer.Option("--json", help="The result as one object.")] = False,
) -> None:
    """Show the criteria that a new version adds, removes or changes, and the verdicts it changes.

    The project's judge decides the golden prompts, and the anchors if given, by both versions.
    Answers that the verdict store has cost nothing again. Anchors of the holdout are left alone.

    [bold]Examples[/bold]

      prefstream rubric diff harbor/1 harbor/2 --no-verdicts
      prefstream rubric diff harbor/1 harbor/2 --anchors out/comparisons.jsonl --labels labels.jsonl
    """
    import json

    from rich.console import Console

    from streams.judge.rubric import load_rubric
    from streams.judge.rubric_diff import rubric_changes

    before, after = load_rubric(project, old), load_rubric(project, new)
    changes = rubric_changes(before, after)
    console = Console(stderr=as_json)
    _show_changes(console, changes)
    found: dict[str, object] = {"changes": [one.model_dump(mode="json") for one in changes]}
    if verdicts:
        compared = list(_anchors(anchors, project)) if anchors else []
        found |= _judge_by_both(console, project, before, after, compared, labels)
    if as_json:
        typer.echo(json.dumps(found))


def _judge_by_both(
    console: "Console",
    project: Path,
    old: "Rubric",
    new: "Rubric",
    anchors: "list[Comparison]",
    labels: Path | None,
) -> dict[str, object]:
    """Goldens and anchors by both versions; shows what changes and returns it."""
    from cli.events_from import events_from
    from cli.judging import judge_all
    from cli.project import load_project
    from cli.replay_tables import show_replay
    from consumers.replay_report import Replayed, replay_report
    from infra.settings import Settings
    from schemas.events import Label
    from streams.judge.golden_report import golden_report
    from streams.judge.goldens import load_goldens
    from streams.pipeline import build_judge

    settings, loaded = Settings(), load_project(project)
    goldens = load_goldens(project, new.id)
    judged, reports = [], []
    for rubric in (old, new):
        asked = goldens.asked(rubric)
        comparisons = [one.comparison(rubric.id, loaded.workload) for _, one in asked]
        stage = build_judge(project, settings, trial=rubric.ref)
        judged.append(judge_all(stage, [*comparisons, *anchors], f"judging by {rubric.ref}"))
        reports.append(golden_report(asked, judged[-1], rubric.id))
    _show_goldens(console, old.ref, new.ref, *reports)
    found: dict[str, object] = {
        "goldens": {
            name: report.model_dump(mode="json")
            for name, report in zip(("old", "new"), reports, strict=True)
        }
    }
    if anchors:
        replayed = [
            Replayed(old=judged[0][one.event_id], new=judged[1][one.event_id])
            for one in anchors
            if one.event_id in judged[0] and one.event_id in judged[1]
        ]
        given = list(events_from(labels, Label, settings))
        report = replay_report(replayed, given, loaded.calibration.shares)
        show_replay(console, report, old.ref, new.ref)
        found["anchors"] = report.model_dump(mode="json")
    return found


def _anchors(source: str, project: Path) -> "Iterator[Comparison]":
    """The anchors that no verifier decided, but for those of the holdout."""
    from cli.events_from import events_from
    from cli.project import load_project
    from consumers.calibration.splits import Split, split_of
    from infra.settings import Settings
    from schemas.events import Comparison
    from schemas.records import Purpose, VerifierWinner

    shares = load_project(project).calibration.shares
    path = None if source == _TOPIC else Path(source)
    for event in events_from(path, Comparison, Settings()):
        is_open = event.verifier_winner is VerifierWinner.NONE
        locked = split_of(event.prompt_id, shares) is Split.HOLDOUT
        if event.purpose is Purpose.ANCHOR and is_open and not locked:
            yield event


def _show_changes(console: "Console", changes: "Sequence[RubricChange]") -> None:
    if not changes:
        console.print("the texts are the same")
    colours = {"+": "green", "-": "red"}
    for change in changes:
        console.print(f"{change.what} {change.kind}", style="bold", highlight=False, markup=False)
        for line in change.diff:
            console.print(line, style=colours.get(line[0]), highlight=False, markup=False)


def _show_goldens(
    console: "Console", old: str, new: str, before: "GoldenReport", after: "GoldenReport"
) -> None:
    from rich.table import Table

    was = {one.id: one for one in before.results}
    table = Table("golden", "criterion", "right", old, new, title="Golden verdicts that change")
    for one in after.results:
        if one.id in was and was[one.id].winner is not one.winner:
            sides = (was[one.id].winner, one.winner)
            said = (winner.value if winner else "not judged" for winner in sides)
            table.add_row(one.id, one.criterion, one.expected.value, *said)
    if table.row_count:
        console.print(table)
    for ref, report in ((old, before), (new, after)):
        console.print(
            f"{ref}: {len(report.passed)} of {len(report.results)} goldens pass", highlight=False
        )
