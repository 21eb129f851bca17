"""`prefstream audit`: how many of the preferences are the wrong way round?"""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from consumers.audit.error_rate import Rate
    from consumers.audit.findings import Findings


def audit(
    project: Annotated[
        Path, typer.Option(help="Project directory with pipeline.yaml.", file_okay=False)
    ] = Path(),
    judge_config: Annotated[
        str | None, typer.Option(help="Only the preferences of this judge_config_hash.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="The figures as one object.")] = False,
) -> None:
    """Show what people found in the preferences that were drawn for them to check.

    A stable share (audit.share, 2 to 5 %) and those nearest the filter's margin wait in the audit
    queue of the review pages. The error is measured on the share alone and corrected for the
    auditors' own, which double labelled anchors show. Training reads it where pipeline.yaml says
    `dpo: {loss_type: robust, label_flip_rate: audited}`.

    [bold]Examples[/bold]

      prefstream audit
      prefstream audit --json | jq .error
    """
    from cli.project import load_project
    from consumers.audit.job import audit_topics
    from infra.settings import Settings
    from infra.topic_log import TopicLog

    loaded = load_project(project)
    log = TopicLog(Settings(), loaded.workload)
    found = audit_topics(log, loaded.audit, loaded.filter.min_margin, judge_config)
    if as_json:
        typer.echo(_json(found.findings, len(found.waiting)))
    else:
        _show(found.findings, len(found.waiting))


def _json(found: "Findings", waiting: int) -> str:
    from dataclasses import asdict

    return json.dumps(
        {
            "error": asdict(found.error) if found.error else None,
            "auditors": asdict(found.auditors),
            "waiting": waiting,
            "counts": [
                {"stratum": stratum, "source": source, **asdict(counts)}
                for (stratum, source), counts in found.counts.items()
            ],
        }
    )


def _show(found: "Findings", waiting: int) -> None:
    from rich.console import Console
    from rich.table import Table

    table = Table(title="Audited preferences")
    columns = ("drawn", "source", "right", "wrong", "tie to people", "waiting")
    for column in columns:
        table.add_column(column, justify="right" if column not in columns[:2] else "left")
    for (stratum, source), one in found.counts.items():
        numbers = (one.checked - one.wrong, one.wrong, one.ties, one.open)
        table.add_row(stratum, source, *map(str, numbers))
    Console().print(table)
    auditors = found.auditors
    if auditors.rate is None:
        typer.echo(f"auditors' own error is unknown: {auditors.unknown}")
    else:
        typer.echo(
            f"auditors err on {auditors.rate:.1%} by {auditors.pairs} pairs of labels of one anchor"
        )
    if not auditors.is_a_coin:
        typer.echo(f"rlaif preferences the wrong way round: {_rate(found.error)}")
    typer.echo(f"{waiting} wait for an auditor (review pages, audit queue)")


def _rate(rate: "Rate | None") -> str:
    if rate is None:
        return "unknown, none of the random share was checked yet"
    return f"{rate.value:.1%}, 95 % interval {rate.low:.1%} to {rate.high:.1%}, n {rate.n}"
