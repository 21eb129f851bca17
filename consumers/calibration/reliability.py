"""Does the judge's margin mean what it says? Calibration error and Brier score, as it stands and
after a temperature or an isotonic fit.

The margin m is the log-odds of A, so the verdict's confidence is sigmoid(|m|), from 0.5 on. A
judge is reliable where verdicts of confidence 0.9 agree with people nine times in ten.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import exp

import numpy as np
import numpy.typing as npt

from schemas.ids import unit_interval
from schemas.records import ReliabilityBin

_Numbers = npt.NDArray[np.float64]

BINS = 10
FOLDS = 5
LEAST_VERDICTS = 50
"""With fewer a temperature fits their noise."""
# beyond a hundredfold either way a margin says nothing, and the search ends
_LOG_TEMPERATURES = np.linspace(-4.6, 4.6, 185)


@dataclass(frozen=True, kw_only=True)
class Stated:
    """One decided verdict: its |margin| in log-odds, and whether people agree with it."""

    key: str
    margin: float
    right: bool


@dataclass(frozen=True, kw_only=True)
class Reliability:
    """Errors of the confidence, as stated; None without margins."""

    ece: float | None = None
    brier: float | None = None
    bins: tuple[ReliabilityBin, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Scaled:
    """Errors of sigmoid(margin / ``temperature``). Above 1 the judge is surer than it may be.

    ``isotonic_ece`` and ``isotonic_brier`` are of the share that people agree with at a margin and
    around it, which may only rise with the margin. All four are of verdicts on which nothing was
    fitted: each fifth is held against what the other four gave.
    """

    temperature: float | None = None
    ece: float | None = None
    brier: float | None = None
    isotonic_ece: float | None = None
    isotonic_brier: float | None = None


def reliability(verdicts: Sequence[Stated], temperature: float = 1.0) -> Reliability:
    """ECE over ten bins of equal width (Guo et al. 2017) and the Brier score of the confidence."""
    if not verdicts:
        return Reliability()
    return _of(_confidence(verdicts, temperature), _right(verdicts))


def scaled(verdicts: Sequence[Stated]) -> Scaled:
    """The temperature over all verdicts, and errors out of fold; nothing for fewer than 50."""
    if len(verdicts) < LEAST_VERDICTS:
        return Scaled()
    folds = np.array([int(unit_interval("reliability", one.key) * FOLDS) for one in verdicts])
    confidence, share = np.zeros(len(verdicts)), np.zeros(len(verdicts))
    for fold in set(folds.tolist()):
        others = [one for one, f in zip(verdicts, folds, strict=True) if f != fold]
        own = folds == fold
        confidence[own] = _confidence(verdicts, fit_temperature(others))[own]
        share[own] = fit_isotonic(others)(_margins(verdicts)[own])
    right = _right(verdicts)
    found, isotonic = _of(confidence, right), _of(share, right)
    return Scaled(
        temperature=fit_temperature(verdicts),
        ece=found.ece,
        brier=found.brier,
        isotonic_ece=isotonic.ece,
        isotonic_brier=isotonic.brier,
    )


def fit_isotonic(verdicts: Sequence[Stated]) -> Callable[[_Numbers], _Numbers]:
    """From margins to the share people agree with: the rising function nearest to the verdicts by
    squares (Zadrozny and Elkan 2002), straight between margins that occur, level beyond them.
    """
    from scipy.optimize import isotonic_regression

    margins, place = np.unique(_margins(verdicts), return_inverse=True)
    counts = np.bincount(place)
    shares = np.bincount(place, weights=_right(verdicts)) / counts
    levels = isotonic_regression(shares, weights=counts).x
    return lambda asked: np.interp(asked, margins, levels)


def fit_temperature(verdicts: Sequence[Stated]) -> float:
    """The T of least log loss, searched over logs of T in steps of 0.05, between 0.01 and 100."""
    margins, right = _margins(verdicts), _right(verdicts)
    signed = np.where(right == 1, margins, -margins)
    losses = [float(np.logaddexp(0, -signed / exp(log_t)).mean()) for log_t in _LOG_TEMPERATURES]
    return exp(float(_LOG_TEMPERATURES[int(np.argmin(losses))]))


def _confidence(verdicts: Sequence[Stated], temperature: float) -> _Numbers:
    return np.asarray(1 / (1 + np.exp(-_margins(verdicts) / temperature)), dtype=np.float64)


def _margins(verdicts: Sequence[Stated]) -> _Numbers:
    return np.array([one.margin for one in verdicts])


def _right(verdicts: Sequence[Stated]) -> _Numbers:
    return np.array([float(one.right) for one in verdicts])


def _of(confidence: _Numbers, right: _Numbers) -> Reliability:
    edges = np.linspace(0.5, 1.0, BINS + 1)
    place = np.clip(np.digitize(confidence, edges, right=True), 1, BINS) - 1
    bins = tuple(
        ReliabilityBin(
            low=float(edges[n]),
            high=float(edges[n + 1]),
            n=int(inside.sum()),
            confidence=float(confidence[inside].mean()),
            accuracy=float(right[inside].mean()),
        )
        for n in range(BINS)
        if (inside := place == n).any()
    )
    gaps = (one.n * abs(one.accuracy - one.confidence) for one in bins)
    return Reliability(
        ece=sum(gaps) / len(right), brier=float(((confidence - right) ** 2).mean()), bins=bins
    )
