"""`prefstream gate`: may rows labelled by this judge be trained on?"""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from schemas.records import GateResult, Verdict

if TYPE_CHECKING:
    from trainer.gate import GateDecision

EXIT_CODES = {Verdict.PASS: 0, Verdict.FAIL: 1, Verdict.INCONCLUSIVE: 2}
_EXIT_OPERATIONAL = 3


def gate(
    project: Annotated[
        Path, typer.Option(help="Project directory with pipeline.yaml.", file_okay=False)
    ] = Path(),
    judge_config: Annotated[
        str | None, typer.Option(help="This judge_config_hash, whether or not it has rows yet.")
    ] = None,
    manifest: Annotated[
        Path | None, typer.Option(help="The rows of this dataset instead of the workload's.")
    ] = None,
    attack_success: Annotated[
        float | None,
        typer.Option(
            min=0,
            max=1,
            help="Share of attacks that changed a verdict, upper 95 % bound; decides where given.",
        ),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="The decision as one object.")] = False,
) -> None:
    """Hold the judge's calibration on the project's workload against the project's thresholds.

    Exit code 0 pass, 1 fail, 2 inconclusive (nobody knows yet), 3 it could not be decided because
    something is missing or down. Only 0 lets training happen.

    Anchors, kappa, coverage, slices, biases, attacks and the holdout's veto decide. Each look at
    changed anchors has less error to spend, so the bound gets stricter; the same data cost nothing.

    [bold]Examples[/bold]

      prefstream gate --project examples/harbor/project
      prefstream gate --judge-config 3f2a90c1d4e5f607 --json
    """
    from schemas.errors import PrefstreamError

    try:
        decision = _decide(project, judge_config, manifest, attack_success)
    except PrefstreamError as error:
        typer.echo(f"prefstream: {error}", err=True)
        raise typer.Exit(_EXIT_OPERATIONAL) from None
    if as_json:
        typer.echo(decision_json(decision))
    else:
        show_gates(decision.results)
        _show_reported(decision)
        typer.echo(f"gate: {decision.verdict}")
    raise typer.Exit(EXIT_CODES[decision.verdict])


def _decide(
    project: Path, judge_config: str | None, manifest: Path | None, attack_success: float | None
) -> "GateDecision":
    from datetime import UTC, datetime

    from cli.judge_watch import watched
    from cli.project import load_project
    from consumers.calibration.holdout_ledger import HoldoutLedger, ledger_path
    from infra.settings import Settings
    from infra.topic_log import TopicLog
    from schemas.events import Calibration, Preference
    from schemas.records import PreferenceSource
    from trainer.dataset import load
    from trainer.gate import gate, label_sources

    settings, loaded = Settings(), load_project(project)
    log = TopicLog(settings, loaded.workload)
    if judge_config is not None:
        sources = {PreferenceSource.RLAIF: frozenset({judge_config})}
    elif manifest is not None:
        sources = label_sources(load(manifest).rows)
    else:
        sources = label_sources(log.events(Preference))
    ledger = HoldoutLedger(ledger_path(settings), workload_id=loaded.workload)
    calibrations = [*log.events(Calibration), *ledger.readings()]
    return gate(
        sources,
        calibrations,
        loaded.gate,
        datetime.now(UTC),
        looks=ledger.look,
        attack_success=attack_success,
        watched=watched(log, loaded, calibrations),
    )


def decision_json(decision: "GateDecision") -> str:
    """One JSON object with the verdict, every gate, and what was reported beside them."""
    import json
    from dataclasses import asdict

    return json.dumps(
        {
            "verdict": decision.verdict,
            "gates": [result.model_dump(mode="json") for result in decision.results],
            "reported": [asdict(one) for one in decision.reported],
            "people_slices": decision.people_slices,
        }
    )


def show_gates(results: Sequence[GateResult]) -> None:
    """Every gate as a table: verdict, number, threshold, and what it means."""
    from rich.console import Console
    from rich.table import Table

    table = Table(title="Gates")
    for column in ("gate", "verdict", "value", "threshold", "detail"):
        table.add_column(column, overflow="fold")
    for result in results:
        numbers = ("" if n is None else f"{n:.4g}" for n in (result.value, result.threshold))
        table.add_row(result.name, result.verdict, *numbers, result.detail)
    Console().print(table)


def _show_reported(decision: "GateDecision") -> None:
    for one in decision.reported:
        value = "" if one.value is None else f" {one.value:.4g}"
        detail = f" ({one.detail})" if one.detail and value else f" {one.detail}".rstrip()
        typer.echo(f"reported: {one.name}{value}{detail}")
