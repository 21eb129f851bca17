"""Promotion and demotion of a judge over time: two thresholds, so that it does not flutter. Pure.

A judge is promoted where its lower bound reaches ``min_kappa`` and demoted where that falls below
``demote_below``; between the two it stays what it was.
"""

from collections.abc import Sequence

from schemas.events import Calibration
from schemas.records import Verdict
from trainer.gate_settings import GateSettings
from trainer.kappa_rule import Looks, kappa_gate


def promoted_before(history: Sequence[Calibration], settings: GateSettings, looks: Looks) -> bool:
    """Whether the judge stood promoted after these calibrations over all slices, oldest first.

    Fewer anchors than ``min_anchors`` can neither promote nor demote; nor can an undefined kappa.
    """
    promoted = False
    for one in history:
        if one.n < settings.min_anchors or one.kappa is None:
            continue
        result = kappa_gate(one, settings, looks(one), promoted=promoted)
        promoted = result.verdict is Verdict.PASS
    return promoted
