"""Confidence bounds of a measured kappa."""

from consumers.calibration.agreement import Kappa
from schemas.interval import Interval
from schemas.kappa_bounds import kappa_bounds


def kappa_interval(kappa: Kappa, z: float) -> Interval | None:
    """Bounds of kappa at ``z`` standard errors, see ``kappa_bounds``; None if undefined."""
    if kappa.value is None or kappa.standard_error is None or kappa.expected is None:
        return None
    return kappa_bounds(kappa.value, kappa.standard_error, kappa.expected, kappa.n, z)
