"""An upper bound of a share that holds also where hardly anything was counted."""

from scipy.special import betaincinv

from schemas.interval import CONFIDENCE


def exact_upper(successes: int, n: int, confidence: float = CONFIDENCE) -> float:
    """One-sided upper bound of a share (Clopper and Pearson 1934); 1 for n = 0.

    The share at which so few successes have a chance of 1 - ``confidence``. Wilson's bound is too
    low where there are none: of shares at its bound for 0 of 84, 7 % show nothing, not 5 %.
    Raises ``ValueError`` where there are more successes than trials.
    """
    if not 0 <= successes <= n:
        raise ValueError(f"{successes} successes of {n}: must be between 0 and n")
    return 1.0 if successes == n else float(betaincinv(successes + 1, n - successes, confidence))
