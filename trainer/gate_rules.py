"""What one calibration has to show: each rule a GateResult with the number that decided. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from schemas.events import Calibration
from schemas.ids import config_hash
from schemas.records import GateResult, Verdict
from trainer.bias_rules import bias_gates
from trainer.gate_settings import GateSettings
from trainer.kappa_rule import FIRST_LOOK, Looked, kappa_gate
from trainer.slice_rule import slice_gate

STAGE = "gate"
# Change it with any change of a rule, so that verdicts made under other rules keep their own ids.
RULES_VERSION = "2"


@dataclass(frozen=True, kw_only=True)
class CalibrationRule:
    """The verdict on one calibration by itself, as on a first look: not its age, nor its past."""

    settings: GateSettings

    @property
    def config_hash(self) -> str:
        """Covers every threshold."""
        return config_hash(self.settings, STAGE, RULES_VERSION)

    def __call__(self, calibration: Calibration) -> Verdict:
        if not calibration.slice:
            return worst(measured_gates(calibration, self.settings))
        if calibration.independent < self.settings.slice_min_anchors:
            return Verdict.INCONCLUSIVE
        return slice_gate(calibration, self.settings).verdict


def worst(results: Sequence[GateResult]) -> Verdict:
    """FAIL if any failed, else INCONCLUSIVE if any is, else PASS; nothing passes on no results."""
    verdicts = {result.verdict for result in results}
    for verdict in (Verdict.FAIL, Verdict.INCONCLUSIVE):
        if verdict in verdicts:
            return verdict
    return Verdict.PASS if verdicts else Verdict.INCONCLUSIVE


def age(calibration: Calibration, settings: GateSettings, now: datetime) -> GateResult:
    """Whether the calibration is fresh: of its newest anchor, in days before ``now``."""
    age_days = (now - calibration.occurred_at) / timedelta(days=1)
    fresh = age_days <= settings.max_age_days
    return GateResult(
        name="age_days",
        verdict=Verdict.PASS if fresh else Verdict.INCONCLUSIVE,
        value=age_days,
        threshold=settings.max_age_days,
        detail="" if fresh else "the calibration is stale; judge and label fresh anchors",
    )


def measured_gates(
    calibration: Calibration,
    settings: GateSettings,
    looked: Looked = FIRST_LOOK,
    *,
    promoted: bool = False,
) -> list[GateResult]:
    """Anchors, kappa, coverage and biases of one calibration."""
    return [
        _anchors(calibration, settings),
        kappa_gate(calibration, settings, looked, promoted=promoted),
        _coverage(calibration, settings),
        *bias_gates(calibration, settings),
    ]


def _anchors(calibration: Calibration, settings: GateSettings) -> GateResult:
    enough = calibration.n >= settings.min_anchors
    missing = settings.min_anchors - calibration.n
    return GateResult(
        name="anchors",
        verdict=Verdict.PASS if enough else Verdict.INCONCLUSIVE,
        value=calibration.n,
        threshold=settings.min_anchors,
        detail="" if enough else f"{missing} more adjudicated anchors are needed",
    )


def _coverage(calibration: Calibration, settings: GateSettings) -> GateResult:
    covered = calibration.coverage
    verdict = Verdict.INCONCLUSIVE
    if covered is not None:
        verdict = Verdict.PASS if covered >= settings.min_coverage else Verdict.FAIL
    return GateResult(
        name="coverage",
        verdict=verdict,
        value=covered,
        threshold=settings.min_coverage,
        detail="" if verdict is Verdict.PASS else "the judge abstains (ties, conflicts) too often",
    )


def holdout_veto(holdout: Calibration, settings: GateSettings) -> GateResult:
    """The locked split can only veto: FAIL where its kappa itself is below ``min_kappa``.

    By the point, not a bound: a judge of true kappa 0.65 that got lucky on the calibration split
    is then caught by 150 anchors 9 times in 10; by its upper bound, 4 times in 10. Raises
    ``ValueError`` where kappa is undefined.
    """
    kappa = holdout.kappa
    if kappa is None:
        raise ValueError("a holdout without a kappa has nothing to veto by")
    return GateResult(
        name="holdout_veto",
        verdict=Verdict.FAIL if kappa < settings.min_kappa else Verdict.PASS,
        value=kappa,
        threshold=settings.min_kappa,
        detail=f"kappa {kappa:.4f} on {holdout.n} locked anchors",
    )
