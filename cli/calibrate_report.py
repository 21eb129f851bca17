"""`prefstream calibrate report`: a page for a lead who was not there."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from cli.project import Project
    from consumers.calibration_report.contents import Contents
    from infra.settings import Settings


def report(
    out: Annotated[Path, typer.Argument(help="HTML file to write.")],
    project: Annotated[
        Path, typer.Option(help="Project directory with pipeline.yaml.", file_okay=False)
    ] = Path(),
) -> None:
    """Write one self-contained HTML file: kappa over time, confusion, reliability, biases, slices,
    what was read when, and why each judge passes or not.

    Reads what was published and the ledger; measures nothing anew, so it is no look and never
    touches the holdout. No script, no other file: it can be mailed.

    [bold]Examples[/bold]

      prefstream calibrate report judges.html --project examples/harbor/project
    """
    from cli.project import load_project
    from consumers.calibration_report.page import page
    from infra.settings import Settings

    contents = gather(Settings(), load_project(project))
    part = out.with_name(f"{out.name}.part")
    part.write_text(page(contents), encoding="utf-8")
    part.replace(out)
    typer.echo(f"wrote {out}: {len(contents.judges)} judges, {len(contents.ledger)} ledger rows")


def gather(settings: "Settings", project: "Project") -> "Contents":
    """Everything of the report out of topics and ledger."""
    from datetime import UTC, datetime

    from cli.judge_watch import rule
    from consumers.audit.job import audit_topics
    from consumers.calibration.adjudicate import unmeasured
    from consumers.calibration.holdout_ledger import HoldoutLedger, ledger_path
    from consumers.calibration_report.contents import (
        Contents,
        Ruling,
        human_ceiling,
        judge_sections,
    )
    from infra.topic_log import TopicLog
    from schemas.events import Calibration, Judgment, Label
    from schemas.records import Purpose

    log = TopicLog(settings, project.workload)
    published = list(log.events(Calibration))
    labels = list(log.events(Label))
    judgments = [one for one in log.events(Judgment) if one.comparison.purpose is Purpose.ANCHOR]
    ledger = HoldoutLedger(ledger_path(settings), workload_id=project.workload)
    hashes = {one.judge_config_hash for one in published}
    rulings = {}
    for hash_, decision in rule(settings, project, sorted(hashes), ledger).items():
        rulings[hash_] = Ruling(
            verdict=decision.verdict,
            gates=decision.results,
            reported=tuple((one.name, one.value, one.detail) for one in decision.reported),
            demoted=hash_ in decision.demoted,
        )
    ceiling, slice_ceilings = human_ceiling(judgments, labels)
    return Contents(
        workload=project.workload,
        at=datetime.now(UTC),
        min_kappa=project.gate.min_kappa,
        judges=judge_sections(published, judgments, labels, project.calibration, rulings),
        ledger=ledger.entries(),
        ceiling=ceiling,
        slice_ceilings=slice_ceilings,
        audit=audit_topics(log, project.audit, project.filter.min_margin).findings,
        unlabelled=unmeasured(labels),
    )
