"""`prefstream calibrate`: anchors and labels from the log into calibrations and core rows."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TypeVar

from consumers.calibration.adjudicate import unmeasured
from consumers.calibration.calibrate import CalibrationSettings, Decide
from consumers.calibration.core import core_preferences
from consumers.calibration.holdout_ledger import HoldoutLedger
from consumers.calibration.measure_anchors import Measured, measure_anchors
from infra.settings import Settings
from infra.topic_log import read, snapshot
from schemas.events import TOPICS, Calibration, Comparison, Event, Judgment, Label, Preference
from schemas.records import LabelRole, Purpose

E = TypeVar("E", bound=Event)


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
    settings: Settings,
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
    ledger.adopt(_events(settings, Calibration))
    labels = list(_events(settings, Label))
    judgments = [
        judgment
        for judgment in _events(settings, Judgment)
        if judgment.comparison.purpose is Purpose.ANCHOR
    ]
    comparisons = anchor_comparisons(settings)
    return CalibrationRun(
        measured=measure_anchors(
            judgments, labels, calibration, decide, ledger, may_read_holdout=may_read_holdout
        ),
        core_rows=tuple(core_preferences(comparisons, labels, calibration)),
        anchors=len({comparison.event_id for comparison in comparisons}),
        labels=len({label.event_id for label in labels}),
        unmeasured=unmeasured(labels),
    )


def anchor_comparisons(settings: Settings) -> list[Comparison]:
    """Every comparison that was made to be labelled."""
    found = _events(settings, Comparison)
    return [comparison for comparison in found if comparison.purpose is Purpose.ANCHOR]


def labelled_prompts(settings: Settings) -> frozenset[str]:
    """The prompts of every comparison that a person was asked about, audits apart."""
    labels = _events(settings, Label)
    return frozenset(label.prompt_id for label in labels if label.role is not LabelRole.AUDIT)


def _events(settings: Settings, kind: type[E]) -> Iterator[E]:
    """Every event of the kind's topic so far; what is unreadable there is the sink's to show."""
    for logged in read(settings, snapshot(settings, TOPICS[kind])):
        if isinstance(logged.event, kind):
            yield logged.event
