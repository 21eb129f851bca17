"""The rule on kappa: its lower bound, at what is left to spend, against the threshold. Pure."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import atanh, ceil
from typing import Protocol

from schemas.alpha_spending import ALPHA, spent_alpha
from schemas.events import Calibration
from schemas.interval import Interval, one_sided_z, wilson
from schemas.kappa_bounds import kappa_bounds
from schemas.records import GateResult, Verdict
from trainer.gate_settings import GateSettings


class Looked(Protocol):
    """Which look of its judge this was, and which judge configuration; both from 1."""

    @property
    def look(self) -> int: ...

    @property
    def judge(self) -> int: ...


Looks = Callable[[Calibration], Looked]
"""The look at a calibration: the ledger's, or what the published calibrations show."""


@dataclass(frozen=True, kw_only=True)
class CountedLook:
    """A look that was counted without a ledger."""

    look: int
    judge: int


FIRST_LOOK = CountedLook(look=1, judge=1)


def counted_looks(whole: Sequence[Calibration]) -> Looks:
    """Looks as the calibrations over all slices themselves show them, oldest first."""
    ordered = sorted(whole, key=lambda one: (one.occurred_at, one.n, one.event_id))
    places: dict[str, list[str]] = {}
    for one in ordered:
        ids = places.setdefault(one.judge_config_hash, [])
        if one.event_id not in ids:
            ids.append(one.event_id)

    def look(calibration: Calibration) -> CountedLook:
        hash_ = calibration.judge_config_hash
        return CountedLook(
            look=places[hash_].index(calibration.event_id) + 1, judge=list(places).index(hash_) + 1
        )

    return look


def level(looked: Looked, settings: GateSettings) -> float:
    """The one-sided error that this look may spend.

    Over judges, configuration j gets its share of alpha by the same weights, and its looks theirs
    of that, so that the sum over all of both stays below alpha.
    """
    share = spent_alpha(looked.judge) if settings.spend_over == "looks_and_judges" else ALPHA
    return spent_alpha(looked.look, share)


def bounds_at(calibration: Calibration, alpha: float) -> Interval | None:
    """Kappa's one-sided bounds at level ``alpha``; None where kappa is undefined.

    Never nearer to kappa than the 95 % bounds that the calibration carries.
    """
    kappa, error = calibration.kappa, calibration.standard_error
    low, high = calibration.lower_bound, calibration.upper_bound
    if kappa is None or error is None or low is None or high is None:
        return None
    z = one_sided_z(1 - alpha)
    n = calibration.independent
    expected = _expected(calibration)
    found = kappa_bounds(kappa, error, expected, n, z)
    return Interval(low=min(found.low, low), high=max(found.high, high))


def kappa_gate(
    calibration: Calibration, settings: GateSettings, looked: Looked, *, promoted: bool = False
) -> GateResult:
    """The chosen statistic against ``min_kappa``, or ``demote_below`` of a ``promoted`` judge.

    By lower bound: FAIL only where even the upper bound is below, for then no number of anchors
    would help; between the two it is INCONCLUSIVE. A promoted judge FAILs below its threshold.
    """
    by_point = settings.statistic == "point"
    alpha = ALPHA if by_point else level(looked, settings)
    bounds = bounds_at(calibration, alpha)
    kappa = calibration.kappa
    if kappa is None or bounds is None:
        return GateResult(
            name="kappa",
            verdict=Verdict.INCONCLUSIVE,
            threshold=settings.min_kappa,
            detail="kappa is undefined on these anchors (none, or one class only); "
            "label more anchors, balanced between A and B",
        )
    value = kappa if by_point else bounds.low
    threshold = settings.demote_below if promoted else settings.min_kappa
    if value >= threshold:
        verdict = Verdict.PASS
    elif by_point or promoted or bounds.high < settings.min_kappa:
        verdict = Verdict.FAIL
    else:
        verdict = Verdict.INCONCLUSIVE
    detail = (
        f"by {settings.statistic}; kappa {kappa:.4f}, standard error "
        f"{calibration.standard_error or 0:.4f}, {_counted(calibration)}, one-sided 95 % bounds "
        f"{calibration.lower_bound:.4f} and {calibration.upper_bound:.4f}"
    )
    if not by_point:
        detail += f"; look {looked.look} spends {alpha:.4f}, at which they are {bounds.low:.4f} "
        detail += f"and {bounds.high:.4f}"
    if promoted:
        detail += f"; promoted before, so demoted only below {settings.demote_below:g}"
    if verdict is Verdict.INCONCLUSIVE:
        detail += "; " + _remedy(calibration, settings, looked)
    return GateResult(
        name="kappa", verdict=verdict, value=value, threshold=threshold, detail=detail
    )


def _counted(calibration: Calibration) -> str:
    if calibration.independent == calibration.n:
        return f"{calibration.n} anchors"
    return f"{calibration.n} anchors of {calibration.independent} prompts"


def anchors_to_settle(
    calibration: Calibration, min_kappa: float, alpha: float = ALPHA
) -> int | None:
    """How many anchors, one a prompt, would lift the lower bound to ``min_kappa`` if kappa stayed.

    The bound lies z · se / (1 − kappa²) below atanh(kappa), and se shrinks with the root of n. Of a
    kappa of 1, Wilson's bound n / (n + z²) of the agreement is solved for n. None where kappa is
    undefined or not above ``min_kappa``: then no number would.
    """
    kappa, low = calibration.kappa, calibration.lower_bound
    if kappa is None or low is None or kappa <= min_kappa or low <= -1:
        return None
    z = one_sided_z(1 - alpha)
    if kappa >= 1 - 1e-12:
        expected = _expected(calibration)
        wanted = min_kappa * (1 - expected) + expected
        return ceil(z * z * wanted / (1 - wanted))
    half = (atanh(kappa) - atanh(low)) * z / one_sided_z()
    return ceil(calibration.independent * (half / (atanh(kappa) - atanh(min_kappa))) ** 2)


def _remedy(calibration: Calibration, settings: GateSettings, looked: Looked) -> str:
    # the anchors that settle it will be another look, and dearer
    following = CountedLook(look=looked.look + 1, judge=looked.judge)
    needed = anchors_to_settle(calibration, settings.min_kappa, level(following, settings))
    if needed is None:
        return f"kappa itself is not above {settings.min_kappa:g}: improve the judge"
    more = max(needed - calibration.independent, 1)
    return f"about {more} more anchors ({needed} in all) would settle it if kappa stays"


def _expected(calibration: Calibration) -> float:
    """Agreement by chance, which bounds need where kappa's estimated error is 0; of a kappa of 1
    it only stands in the 95 % bounds."""
    kappa, observed = calibration.kappa, calibration.observed_agreement
    low, n = calibration.lower_bound, calibration.independent
    if kappa is None or observed is None or low is None:
        return 0.0
    if kappa < 1 - 1e-9:
        return (observed - kappa) / (1 - kappa)
    return (wilson(n, n, one_sided_z()).low - low) / (1 - low) if low < 1 else 0.0
