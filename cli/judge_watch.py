"""What the gate has to know of judge and policy since the calibration, out of the log."""

from collections.abc import Sequence
from datetime import UTC, datetime

from cli.project import Project
from consumers.calibration.holdout_ledger import HoldoutLedger, ledger_path
from consumers.calibration.judge_notice import judge_notice
from consumers.calibration.probe_watch import drift_gates, probe_outcomes
from consumers.calibration.teachers import TeacherWatch
from infra.settings import Settings
from infra.topic_log import EventLog, TopicLog
from schemas.events import Calibration, Judgment, Label, Run
from schemas.records import GateResult, PreferenceSource
from trainer.gate import GateDecision, gate
from trainer.watched import Watched, serving


def watched(log: EventLog, project: Project, calibrations: Sequence[Calibration]) -> Watched:
    """Drift of every judge that is probed, whether its teacher is the one that was calibrated, and
    the policy that serves. Raises ``DependencyDown``.
    """
    teachers = TeacherWatch({source for one in calibrations for source in one.source_ids})
    judgments = teachers.through(log.events(Judgment))
    outcomes = probe_outcomes(judgments, log.events(Label))
    by_judge: dict[str, tuple[GateResult, ...]] = {}
    for found in (
        drift_gates(calibrations, outcomes, project.gate.demote_below),
        teachers.gates(),
    ):
        for hash_, result in found.items():
            by_judge[hash_] = (*by_judge.get(hash_, ()), result)
    return Watched(
        by_judge=by_judge,
        promoted=serving(log.events(Run)),
    )


def rule(
    settings: Settings, project: Project, hashes: Sequence[str], ledger: HoldoutLedger
) -> dict[str, GateDecision]:
    """What the gate says now of each judge configuration by itself, in the project's workload."""
    log = TopicLog(settings, project.workload)
    calibrations = [*log.events(Calibration), *ledger.readings()]
    seen = watched(log, project, calibrations)
    now = datetime.now(UTC)
    return {
        hash_: gate(
            {PreferenceSource.RLAIF: [hash_]},
            calibrations,
            project.gate,
            now,
            looks=ledger.look,
            watched=seen,
        )
        for hash_ in hashes
    }


def notice(settings: Settings, project: Project) -> str | None:
    """What the pages say of the judge that was calibrated last; None where it may label.

    None too where no judge was calibrated yet: then nobody trains on one either.
    """
    known = TopicLog(settings, project.workload).events(Calibration)
    latest = max(known, key=lambda one: (one.occurred_at, one.n), default=None)
    if latest is None:
        return None
    judge = latest.judge_config_hash
    ledger = HoldoutLedger(ledger_path(settings), workload_id=project.workload)
    decision = rule(settings, project, [judge], ledger)[judge]
    return judge_notice(judge, decision.results, demoted=judge in decision.demoted)
