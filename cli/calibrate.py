"""`prefstream calibrate`: how well each judge agrees with people."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cli.calibrate_report import report

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.table import Table

    from consumers.calibration.job import CalibrationRun
    from schemas.events import Calibration

app = typer.Typer(rich_markup_mode="rich")
app.command("report")(report)


@app.callback(invoke_without_command=True)
def calibrate(
    context: typer.Context,
    project: Annotated[
        Path, typer.Option(help="Project directory with pipeline.yaml.", file_okay=False)
    ] = Path(),
    dry_run: Annotated[
        bool,
        typer.Option(
            "--dry-run", help="Publish nothing and leave the holdout unread; still a look."
        ),
    ] = False,
    as_json: Annotated[
        bool, typer.Option("--json", help="One calibration a line, as JSON.")
    ] = False,
) -> None:
    """Compare the workload's judged anchors with adjudicated labels and publish what came out.

    One calibration for each judge configuration, split and slice goes to `calibrations`; core
    rows, which people decided and which never measure, go to `preferences` as human rows. Running
    it again on the same log publishes the same ids. A judge that fell below the gate is told to
    the webhook.

    Each look at changed data raises the bar that the gate sets (spent alpha, in the ledger). The
    holdout is read once for each judge configuration, when the calibration split passes and enough
    of it is labelled; what it gave then is published again ever after.

    [bold]Examples[/bold]

      prefstream calibrate --project examples/harbor/project
      prefstream calibrate --dry-run --json | jq .kappa
      prefstream calibrate report judges.html
    """
    if context.invoked_subcommand is not None:
        return
    from datetime import UTC, datetime

    from cli.project import load_project
    from consumers.calibration.holdout_ledger import HoldoutLedger, ledger_path
    from consumers.calibration.job import calibrate_topics
    from infra.publish import publish
    from infra.settings import Settings
    from infra.topic_log import TopicLog
    from infra.webhook import post
    from schemas.events import Calibration
    from trainer.gate_rules import CalibrationRule
    from trainer.judge_demotions import judge_demotions

    settings, loaded = Settings(), load_project(project)
    log = TopicLog(settings, loaded.workload)
    ledger = HoldoutLedger(ledger_path(settings), workload_id=loaded.workload)
    run = calibrate_topics(
        log,
        loaded.calibration,
        CalibrationRule(settings=loaded.gate),
        ledger,
        may_read_holdout=not dry_run,
    )
    calibrations = run.measured.calibrations
    if not dry_run:
        known = list(log.events(Calibration))
        publish(settings, [*calibrations, *run.core_rows])
        now = datetime.now(UTC)
        for demoted in judge_demotions(known, calibrations, loaded.gate, now, ledger.look):
            typer.echo(demoted.text, err=True)
            post(settings.webhook_url, demoted)
    if as_json:
        for calibration in calibrations:
            typer.echo(calibration.model_dump_json(exclude={"source_ids"}))
        return
    _show(run)
    if not dry_run:
        typer.echo(
            f"published {len(calibrations)} calibrations and {len(run.core_rows)} human rows"
        )


_WHY = {
    "open": "wait for a second label",
    "disputed": "are disputed and wait for an adjudicator",
    "contradictory": "were adjudicated both ways; adjudicators must agree on one",
    "tie": "are a tie to people, which measures no judge",
}


def _show(run: "CalibrationRun") -> None:
    from rich.console import Console

    for reason, n in run.unmeasured.items():
        typer.echo(f"{n} labelled comparisons {_WHY[reason]}")
    if not run.measured.calibrations:
        typer.echo(
            f"nothing to measure: {run.anchors} anchors and {run.labels} labels in the log, but no "
            "anchor has both a judge's verdict and an adjudicated label"
        )
        return
    console = Console()
    console.print(f"Agreement with people ({run.anchors} anchors, {run.labels} labels)")
    for judge in dict.fromkeys(one.judge_config_hash for one in run.measured.calibrations):
        own = [one for one in run.measured.calibrations if one.judge_config_hash == judge]
        console.print(f"\nJudge {judge}", highlight=False)
        console.print(_agreement(own))
        console.print(_margins(own))
    for hash_, look in run.measured.looks.items():
        said = run.measured.holdout.get(hash_, "no anchors")
        typer.echo(f"{hash_}: look {look.look}, judge configuration {look.judge}; holdout: {said}")


def _agreement(calibrations: "Sequence[Calibration]") -> "Table":
    table = _table("split", "slice", "n", "kappa", "95 % bounds", "coverage", "bias", "verdict")
    for one in calibrations:
        table.add_row(
            one.split,
            one.slice or "all",
            str(one.n),
            "undefined" if one.kappa is None else f"{one.kappa:.3f}",
            f"{_number(one.lower_bound)} {_number(one.upper_bound)}",
            _number(one.coverage),
            _number(one.position_bias),
            one.verdict,
        )
    return table


def _margins(calibrations: "Sequence[Calibration]") -> "Table":
    """How honest the margins are over all slices, as they stand and after each fit."""
    table = _table("split", "ECE, Brier: as they stand", "by temperature", "isotonic")
    for one in calibrations:
        if not one.slice:
            table.add_row(
                one.split,
                _errors(one.ece, one.brier),
                _errors(one.scaled_ece, one.scaled_brier, one.temperature),
                _errors(one.isotonic_ece, one.isotonic_brier),
            )
    return table


def _table(*columns: str) -> "Table":
    from rich.table import Table

    table = Table(box=None)
    for column in columns:
        # only a slice may be too long for its column
        table.add_column(column, no_wrap=column != "slice")
    return table


def _errors(ece: float | None, brier: float | None, temperature: float | None = None) -> str:
    if ece is None or brier is None:
        return "–"
    return f"{ece:.3f}, {brier:.3f}" + (f" at {temperature:.2f}" if temperature else "")


def _number(value: float | None) -> str:
    return "–" if value is None else f"{value:.3f}"
