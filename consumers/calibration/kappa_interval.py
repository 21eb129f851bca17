"""Confidence bounds of kappa."""

from math import atanh, tanh

from consumers.calibration.agreement import Kappa
from schemas.interval import Interval, wilson


def kappa_interval(kappa: Kappa, z: float) -> Interval | None:
    """Bounds of kappa at ``z`` standard errors on the scale of atanh(kappa), None if undefined.

    On the plain scale the interval leaves [−1, 1] and undercovers below n = 200. The standard
    error of atanh(kappa) is se / (1 − kappa²) by the delta method. A kappa of exactly 1 has an
    estimated error of 0, which would turn three anchors into certainty: there the bound comes from
    Wilson's for the observed agreement at the same expected agreement.
    """
    if kappa.value is None or kappa.standard_error is None or kappa.expected is None:
        return None
    if kappa.value >= 1 - 1e-12:
        agreement = wilson(kappa.n, kappa.n, z).low
        return Interval(low=(agreement - kappa.expected) / (1 - kappa.expected), high=1.0)
    if kappa.value <= -1 + 1e-12:
        agreement = wilson(0, kappa.n, z).high
        return Interval(low=-1.0, high=(agreement - kappa.expected) / (1 - kappa.expected))
    centre = atanh(kappa.value)
    half = z * kappa.standard_error / (1 - kappa.value**2)
    return Interval(low=tanh(centre - half), high=tanh(centre + half))
