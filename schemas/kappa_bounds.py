"""Confidence bounds of Cohen's kappa at any level, from the numbers that a calibration carries."""

from math import atanh, tanh

from schemas.interval import Interval, wilson

# An estimated error of 0 comes out this large at most.
_ROUNDING = 1e-9


def kappa_bounds(
    kappa: float, standard_error: float, expected: float, n: int, z: float
) -> Interval:
    """Bounds of kappa at ``z`` standard errors on the scale of atanh(kappa).

    ``expected`` is the agreement by chance. On the plain scale the interval leaves [−1, 1] and
    undercovers below n = 200. The standard error of atanh(kappa) is se / (1 − kappa²) by the delta
    method. A kappa of exactly 1, and that of a rater who said one thing every time, has an
    estimated error of 0, which would turn three anchors into certainty: there the bounds come from
    Wilson's for the observed agreement at the same expected agreement.
    """
    if standard_error <= _ROUNDING or abs(kappa) >= 1 - _ROUNDING:
        agreed = wilson(round((kappa * (1 - expected) + expected) * n), n, z)
        return Interval(
            low=max(-1.0, (agreed.low - expected) / (1 - expected)),
            high=min(1.0, (agreed.high - expected) / (1 - expected)),
        )
    centre = atanh(kappa)
    half = z * standard_error / (1 - kappa**2)
    return Interval(low=tanh(centre - half), high=tanh(centre + half))
