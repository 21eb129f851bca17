"""The first half of the story: traffic and labels in, preferences out, the judge calibrated."""

from dataclasses import dataclass
from datetime import UTC, datetime

from consumers.calibration.core import core_preferences
from consumers.calibration.holdout_ledger import HoldoutLedger, ledger_path
from consumers.calibration.measure_anchors import measure_anchors
from consumers.calibration.splits import Split, split_of
from consumers.feedback import FeedbackSettings, thumb_pairs
from examples.harbor.demo.backend import Backend
from examples.harbor.demo.display import Display
from examples.harbor.demo.fill import fill
from examples.harbor.demo.gate_trials import GateTrial, gate_trials
from examples.harbor.demo.sizes import Sizes
from examples.harbor.demo.training import Rules
from examples.harbor.demo.workspace import Workspace
from schemas.events import Calibration, Comparison, Completion, Feedback, Judgment, Label
from schemas.records import Purpose
from trainer.gate_rules import CalibrationRule
from trainer.kappa_rule import Looks


@dataclass(frozen=True, kw_only=True)
class Gathered:
    """What can be trained on now lies in the topics; ``measured`` are prompts that may not be."""

    calibrations: tuple[Calibration, ...]
    measured: frozenset[str]
    trials: tuple[GateTrial, ...]
    looks: Looks


def gather(
    backend: Backend, workspace: Workspace, rules: Rules, sizes: Sizes, display: Display
) -> Gathered:
    """Fill the topics, let the stages work, measure the judge; all of it is published."""
    with display.step("people and production fill the topics"):
        fill(backend, workspace, sizes, display)
    with display.step("stages catch up"):
        backend.settle(display.lags)
    with display.step("calibrate the judge against people, pair the thumbs"):
        ledger = HoldoutLedger(ledger_path(backend.settings))
        calibrations, measured = calibrate_judge(backend, rules, ledger)
        thumbs = thumb_pairs(
            backend.events(Completion), backend.events(Feedback), FeedbackSettings()
        )
        backend.publish(thumbs)
        trials = gate_trials(
            backend.events(Judgment),
            backend.events(Label),
            thumbs,
            calibrations,
            (rules.calibration, rules.gate),
            ledger.look,
            datetime.now(UTC),
        )
    return Gathered(calibrations=calibrations, measured=measured, trials=trials, looks=ledger.look)


def decides(calibration: Calibration) -> bool:
    """Whether it is the one over all anchors that the gate reads."""
    return calibration.split == Split.CALIBRATION and calibration.slice == ""


def calibrate_judge(
    backend: Backend, rules: Rules, ledger: HoldoutLedger
) -> tuple[tuple[Calibration, ...], frozenset[str]]:
    """The published calibrations, and the prompts that measured the judge."""
    labels = backend.events(Label)
    calibrations = measure_anchors(
        [one for one in backend.events(Judgment) if one.comparison.purpose is Purpose.ANCHOR],
        labels,
        rules.calibration,
        CalibrationRule(settings=rules.gate),
        ledger,
    ).calibrations
    compared = backend.events(Comparison)
    backend.publish([*calibrations, *core_preferences(compared, labels, rules.calibration)])
    shares = rules.calibration.shares
    measured = frozenset(
        one.prompt_id
        for one in compared
        if one.purpose is Purpose.ANCHOR and split_of(one.prompt_id, shares) is not Split.CORE
    )
    return calibrations, measured
