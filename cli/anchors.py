"""`prefstream anchors`: comparisons that people label, so that judges can be measured."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cli.anchors_create import create

if TYPE_CHECKING:
    from datetime import datetime

    from cli.project import Project as Configured
    from infra.settings import Settings

app = typer.Typer(
    help="Comparisons that people label: drawn from traffic, imported, exported, sent as probes.",
    no_args_is_help=True,
    rich_markup_mode="rich",
)
app.command()(create)

Project = Annotated[
    Path, typer.Option(help="Project directory with pipeline.yaml.", file_okay=False)
]
AsJson = Annotated[bool, typer.Option("--json", help="The counts as one JSON object.")]


@app.command("import")
def import_(
    file: Annotated[Path, typer.Argument(help="JSON Lines, ours or LMArena's.")],
    project: Project = Path(),
    adjudicated: Annotated[
        bool,
        typer.Option(
            "--adjudicated", help="A row's winner is final; else it is one person's label."
        ),
    ] = False,
    first_of_prompt: Annotated[
        bool,
        typer.Option(
            "--first-of-prompt", help="Of a prompt's pairs take the first and count the others."
        ),
    ] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Check the file only.")] = False,
    as_json: AsJson = False,
) -> None:
    """Publish the anchors of a file with their labels; importing it again publishes the same ids.

    A row is {"prompt" or "messages", "a", "b", "labels": [{"annotator", "winner"}]}, with
    "winner" instead of labels where one person (or --adjudicated, everyone) has spoken. LMArena's
    model_a, model_b, winner, conversation_a and conversation_b are read as they are. The
    comparisons go through the judge like any other.

    [bold]Examples[/bold]

      prefstream anchors import labelled.jsonl
      prefstream anchors import arena.jsonl --first-of-prompt --dry-run
    """
    from cli.project import load_project
    from consumers.anchors.import_file import AnchorImport, import_anchors
    from infra.publish import publish
    from infra.settings import Settings

    loaded = load_project(project)
    found = import_anchors(
        file,
        AnchorImport(
            workload_id=loaded.workload,
            rubric_id=loaded.pair.rubric_id,
            adjudicated=adjudicated,
            first_of_prompt=first_of_prompt,
        ),
    )
    if not dry_run:
        publish(Settings(), [*found.comparisons, *found.labels])
    counts = {
        "anchors": len(found.comparisons),
        "labels": len(found.labels),
        "left_out": found.left_out,
    }
    if as_json:
        typer.echo(json.dumps(counts))
        return
    said = "checked" if dry_run else "published"
    typer.echo(
        f"{said} {counts['anchors']} anchors and {counts['labels']} labels; "
        f"{found.left_out} further pairs of the same prompts left out"
    )


@app.command()
def export(
    out: Annotated[Path, typer.Argument(help="File to write, JSON Lines.")],
    project: Project = Path(),
    holdout: Annotated[
        bool, typer.Option("--holdout", help="The locked split too: keep such a file to yourself.")
    ] = False,
) -> None:
    """Write every anchor with its labels, for `prefstream anchors import` or other tools.

    The holdout is left out: a judge tuned on it could no longer be vetoed by it.

    [bold]Examples[/bold]

      prefstream anchors export anchors.jsonl
    """
    from cli.project import load_project
    from consumers.anchors.export_file import anchor_rows
    from consumers.calibration.splits import Split, split_of
    from infra.settings import Settings
    from infra.topic_log import events
    from schemas.events import Comparison, Label

    settings, shares = Settings(), load_project(project).calibration.shares
    comparisons = (
        one
        for one in events(settings, Comparison)
        if holdout or split_of(one.prompt_id, shares) is not Split.HOLDOUT
    )
    part = out.with_name(f"{out.name}.part")
    written = 0
    with part.open("w", encoding="utf-8") as file:
        for row in anchor_rows(comparisons, list(events(settings, Label))):
            file.write(row.model_dump_json(exclude_none=True, exclude_defaults=True) + "\n")
            written += 1
    part.replace(out)
    typer.echo(f"wrote {written} anchors to {out}")


@app.command()
def probe(
    n: Annotated[int, typer.Option("--n", min=1, help="How many each time.")] = 1,
    per_hour: Annotated[
        float | None,
        typer.Option(min=0.01, max=3600, help="So many times an hour, until Ctrl-C; else once."),
    ] = None,
    project: Project = Path(),
) -> None:
    """Send adjudicated anchors through the judge among the traffic (purpose PROBE).

    Only of the calibration split, at random each time; the judge cannot tell them from traffic,
    and they never become preferences. `prefstream gate` watches what comes of them for drift.

    [bold]Examples[/bold]

      prefstream anchors probe --n 20
      prefstream anchors probe --per-hour 12
    """
    import time
    from datetime import UTC, datetime

    from cli.project import load_project
    from infra.settings import Settings

    settings, loaded = Settings(), load_project(project)
    while True:
        sent = _send_probes(settings, loaded, n, datetime.now(UTC))
        typer.echo(f"{sent} probes sent")
        if per_hour is None:
            return
        time.sleep(3600 / per_hour)


def _send_probes(settings: "Settings", project: "Configured", n: int, at: "datetime") -> int:
    from consumers.anchors.probes import probes
    from infra.publish import publish
    from infra.topic_log import TopicLog
    from schemas.errors import ConfigError
    from schemas.events import Comparison, Label

    log = TopicLog(settings, project.workload)
    shares = project.calibration.shares
    made = probes(log.events(Comparison), log.events(Label), n, at, shares)
    if not made:
        raise ConfigError(
            "no anchor of the calibration split has a winner to people yet; "
            "label anchors before you probe with them"
        )
    return publish(settings, made)
