"""`prefstream panel`: several judges as one."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from streams.judge.panel import Panel

app = typer.Typer(help="Several judges as one.", no_args_is_help=True, rich_markup_mode="rich")


@app.callback()
def _group() -> None:
    """A group also while it has one command."""


@app.command("fit")
def fit(
    panel: Annotated[str, typer.Argument(help="ID/VERSION of the panel whose opinions count.")],
    project: Annotated[
        Path, typer.Option("--project", "-p", help="Project directory.", file_okay=False)
    ] = Path(),
    judgments: Annotated[
        Path | None, typer.Option(help="JSONL of judgments; default: the topic.")
    ] = None,
    labels: Annotated[
        Path | None, typer.Option(help="JSONL of labels; default: the topic.")
    ] = None,
    cascade: Annotated[
        str | None, typer.Option(help="Member that decides alone where its margin allows it.")
    ] = None,
    max_loss: Annotated[
        float,
        typer.Option(min=0.001, max=0.5, help="Share of anchors that the cascade may lose."),
    ] = 0.02,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show it and write no file.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="The new panel as one object.")] = False,
) -> None:
    """Weigh a panel's members by how they agree with people, as the next version of its file.

    Reads what every member said of anchors and what people said of them, the calibration split
    alone. A member below the panel's floor gets no vote, and the file says why. The panel then
    decides by calibrated log-odds. With --cascade NAME the cheap member NAME decides alone from the
    lowest margin on at which, with 95 % confidence, at most --max-loss of the anchors are lost that
    the whole panel gets right.

    [bold]Examples[/bold]

      prefstream panel fit tone/1 --project DIR
      prefstream panel fit tone/1 --cascade quick --max-loss 0.01
      prefstream panel fit tone/1 --judgments out/judgments.jsonl --labels labels.jsonl --dry-run
    """
    from cli.events_from import events_from
    from cli.project import load_project
    from consumers.calibration.cascade_fit import WantedCascade
    from consumers.calibration.panel_fit import fit_panel
    from infra.settings import Settings
    from schemas.events import Judgment, Label
    from streams.judge.panel import load_panel, next_version, panel_path, write_panel

    settings = Settings()
    old = load_panel(project, panel)
    new = fit_panel(
        old,
        events_from(judgments, Judgment, settings),
        events_from(labels, Label, settings),
        load_project(project).calibration.shares,
        next_version(project, old),
        WantedCascade(first=cascade, max_loss=max_loss) if cascade else None,
    )
    if not dry_run:
        write_panel(project, new)
    if as_json:
        typer.echo(new.model_dump_json(exclude_defaults=True))
        return
    _show(new)
    where = panel_path(project, new.ref)
    typer.echo(f"not written: {where}" if dry_run else f"wrote {where}; set judge.panel: {new.ref}")


def _show(panel: "Panel") -> None:
    from rich.console import Console
    from rich.table import Table

    fitted = panel.fitted_on
    assert fitted is not None
    table = Table(title=f"Panel {panel.ref}, fitted on {fitted.anchors} anchors of {fitted.split}")
    for column in ("member", "weight", "agreement with people", "no vote because"):
        table.add_column(column)
    for member in panel.members:
        agreed = fitted.agreement[member.name]
        table.add_row(member.name, f"{member.weight:g}", agreed, member.no_vote or "")
    Console().print(table)
    if panel.cascade and fitted.cascade:
        first, margin = panel.cascade.first, panel.cascade.settled_margin
        typer.echo(f"cascade: {first} alone from |m| {margin:g} on: {fitted.cascade}")
    if fitted.incomplete:
        typer.echo(f"{fitted.incomplete} anchors left out: a cascade did not ask every member")
