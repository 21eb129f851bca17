"""What one calibration has to show: each rule a GateResult with the number that decided. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from math import atanh, ceil
from typing import Literal

from pydantic import Field

from schemas.events import Calibration
from schemas.ids import config_hash
from schemas.records import GateResult, Record, Verdict

STAGE = "gate"
# Change it with any change of a rule, so that verdicts made under other rules keep their own ids.
RULES_VERSION = "1"


class GateSettings(Record):
    """The ``gate`` section of pipeline.yaml."""

    statistic: Literal["lower_bound", "point"] = "lower_bound"
    """What is held against ``min_kappa``: kappa's one-sided 95 % lower bound, or kappa itself."""
    min_kappa: float = Field(default=0.72, gt=-1, lt=1)
    min_coverage: float = Field(default=0.85, ge=0, le=1)
    # Below this even a judge of kappa 0.85 passes with less than 80 % power.
    min_anchors: int = Field(default=100, ge=2)
    # A judge behind an API changes under its name; a month is what probes must cover meanwhile.
    max_age_days: float = Field(default=30, gt=0)


@dataclass(frozen=True, kw_only=True)
class CalibrationRule:
    """The verdict on one calibration by itself: anchors, kappa and coverage, not its age."""

    settings: GateSettings

    @property
    def config_hash(self) -> str:
        """Covers every threshold."""
        return config_hash(self.settings, STAGE, RULES_VERSION)

    def __call__(self, calibration: Calibration) -> Verdict:
        return worst(measured_gates(calibration, self.settings))


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


def measured_gates(calibration: Calibration, settings: GateSettings) -> list[GateResult]:
    """Anchors, kappa and coverage of one calibration."""
    return [
        _anchors(calibration, settings),
        _kappa(calibration, settings),
        _coverage(calibration, settings),
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


def _kappa(calibration: Calibration, settings: GateSettings) -> GateResult:
    """The chosen statistic against ``min_kappa``.

    By lower bound: FAIL only where even the upper bound is below, for then no number of anchors
    would help; between the two it is INCONCLUSIVE.
    """
    kappa, lower, upper = calibration.kappa, calibration.lower_bound, calibration.upper_bound
    if kappa is None or lower is None or upper is None:
        return GateResult(
            name="kappa",
            verdict=Verdict.INCONCLUSIVE,
            threshold=settings.min_kappa,
            detail="kappa is undefined on these anchors (none, or one class only); "
            "label more anchors, balanced between A and B",
        )
    by_point = settings.statistic == "point"
    value = kappa if by_point else lower
    if value >= settings.min_kappa:
        verdict = Verdict.PASS
    elif by_point or upper < settings.min_kappa:
        verdict = Verdict.FAIL
    else:
        verdict = Verdict.INCONCLUSIVE
    numbers = (
        f"by {settings.statistic}; kappa {kappa:.4f}, standard error "
        f"{calibration.standard_error or 0:.4f}, one-sided 95 % bounds {lower:.4f} and {upper:.4f}"
        f", {calibration.n} anchors"
    )
    if verdict is Verdict.INCONCLUSIVE:
        numbers += "; " + _remedy(calibration, settings)
    return GateResult(
        name="kappa",
        verdict=verdict,
        value=value,
        threshold=settings.min_kappa,
        detail=numbers,
    )


def anchors_to_settle(calibration: Calibration, min_kappa: float) -> int | None:
    """How many anchors would lift the lower bound to ``min_kappa`` if kappa stayed as measured.

    The bound lies z · se / (1 − kappa²) below atanh(kappa), and se shrinks with the root of n.
    None where kappa is undefined or not above ``min_kappa``: then no number would.
    """
    kappa, lower = calibration.kappa, calibration.lower_bound
    if kappa is None or lower is None or not min_kappa < kappa < 1 or lower <= -1:
        return None
    distance = atanh(kappa) - atanh(lower)
    return ceil(calibration.n * (distance / (atanh(kappa) - atanh(min_kappa))) ** 2)


def _remedy(calibration: Calibration, settings: GateSettings) -> str:
    needed = anchors_to_settle(calibration, settings.min_kappa)
    if needed is None:
        return f"kappa itself is not above {settings.min_kappa:g}: improve the judge"
    return f"about {needed} anchors would settle it if kappa stays"


def holdout_veto(holdout: Calibration, settings: GateSettings) -> GateResult:
    """The locked split can only veto: FAIL where its kappa itself is below ``min_kappa``.

    By the point, not a bound: a judge of true kappa 0.65 that got lucky on the calibration split
    is then caught by 150 anchors 9 times in 10; by its upper bound, 4 times in 10.
    """
    vetoed = holdout.kappa is not None and holdout.kappa < settings.min_kappa
    shown = "undefined" if holdout.kappa is None else f"{holdout.kappa:.4f}"
    return GateResult(
        name="holdout_veto",
        verdict=Verdict.FAIL if vetoed else Verdict.PASS,
        value=holdout.kappa,
        threshold=settings.min_kappa,
        detail=f"kappa {shown} on {holdout.n} locked anchors",
    )
