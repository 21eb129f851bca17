"""Confidence bounds of Cohen's kappa at any level, from the numbers that a calibration carries."""

from math import atanh, tanh

from schemas.interval import Interval, wilson

# Rounding leaves a perfect kappa this far from 1.
_ROUNDING = 1e-12


def kappa_bounds(
    kappa: float, standard_error: float, expected: float, n: int, z: float
) -> Interval:
    """Bounds of kappa at ``z`` standard errors on the scale of atanh(kappa).

    ``expected`` is the agreement by chance. On the plain scale the interval leaves [−1, 1] and
    undercovers below n = 200. The standard error of atanh(kappa) is se / (1 − kappa²) by the delta
    method. A kappa of exactly 1 has an estimated error of 0, which would turn three anchors into
    certainty: there the bound comes from Wilson's for the observed agreement at the same expected
    agreement.
    """
    if kappa >= 1 - _ROUNDING:
        agreement = wilson(n, n, z).low
        return Interval(low=(agreement - expected) / (1 - expected), high=1.0)
    if kappa <= -1 + _ROUNDING:
        agreement = wilson(0, n, z).high
        return Interval(low=-1.0, high=(agreement - expected) / (1 - expected))
    centre = atanh(kappa)
    half = z * standard_error / (1 - kappa**2)
    return Interval(low=tanh(centre - half), high=tanh(centre + half))
