"""`prefstream calibrate`: anchors and labels from the log into calibrations and core rows."""

from dataclasses import dataclass

from consumers.calibration.adjudicate import unmeasured
from consumers.calibration.calibrate import CalibrationSettings, Decide
from consumers.calibration.core import core_preferences
from consumers.calibration.holdout_ledger import HoldoutLedger
from consumers.calibration.measure_anchors import Measured, measure_anchors
from infra.topic_log import EventLog
from schemas.events import Calibration, Comparison, Judgment, Label, Preference
from schemas.records import Purpose


@dataclass(frozen=True, kw_only=True)
class CalibrationRun:
    """What one pass over the log gave: nothing of it is published yet."""

    measured: Measured
    core_rows: tuple[Preference, ...]
    anchors: int
    labels: int
    unmeasured: dict[str, int]
    """Labelled comparisons that measure nothing, by why; see ``adjudicate.unmeasured``."""


def calibrate_topics(
    log: EventLog,
    calibration: CalibrationSettings,
    decide: Decide,
    ledger: HoldoutLedger,
    *,
    may_read_holdout: bool = True,
) -> CalibrationRun:
    """Measure every judge configuration on all anchors and labels in the log.

    Only anchors are held in memory. What the log knows of earlier looks goes before the ledger.
    Raises ``DependencyDown`` where Kafka is away, ``ChainBroken`` for a damaged ledger.
    """
    ledger.adopt(log.events(Calibration))
    labels = list(log.events(Label))
    judgments = [
        judgment
        for judgment in log.events(Judgment)
        if judgment.comparison.purpose is Purpose.ANCHOR
    ]
    comparisons = anchor_comparisons(log)
    return CalibrationRun(
        measured=measure_anchors(
            judgments, labels, calibration, decide, ledger, may_read_holdout=may_read_holdout
        ),
        core_rows=tuple(core_preferences(comparisons, labels, calibration)),
        anchors=len({comparison.event_id for comparison in comparisons}),
        labels=len({label.event_id for label in labels}),
        unmeasured=unmeasured(labels),
    )


def anchor_comparisons(log: EventLog) -> list[Comparison]:
    """Every comparison that was made to be labelled."""
    found = log.events(Comparison)
    return [comparison for comparison in found if comparison.purpose is Purpose.ANCHOR]
