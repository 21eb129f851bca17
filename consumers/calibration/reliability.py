"""Does the judge's margin mean what it says? Expected calibration error, Brier score, temperature.

The margin m is the log-odds of A, so the verdict's confidence is sigmoid(|m|), from 0.5 on. A
judge is reliable where verdicts of confidence 0.9 agree with people nine times in ten.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import exp

import numpy as np
import numpy.typing as npt

from schemas.ids import unit_interval
from schemas.records import ReliabilityBin

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

    ``ece`` and ``brier`` are of verdicts on which the temperature was not fitted: each fifth is
    held against what the other four gave.
    """

    temperature: float | None = None
    ece: float | None = None
    brier: float | None = None


def reliability(verdicts: Sequence[Stated], temperature: float = 1.0) -> Reliability:
    """ECE over ten bins of equal width (Guo et al. 2017) and the Brier score of the confidence."""
    if not verdicts:
        return Reliability()
    return _of(_confidence(verdicts, temperature), _right(verdicts))


def scaled(verdicts: Sequence[Stated]) -> Scaled:
    """The temperature over all verdicts, and its errors out of fold; nothing for fewer than 50."""
    if len(verdicts) < LEAST_VERDICTS:
        return Scaled()
    folds = np.array([int(unit_interval("reliability", one.key) * FOLDS) for one in verdicts])
    confidence = np.zeros(len(verdicts))
    for fold in set(folds.tolist()):
        fitted = fit_temperature([one for one, f in zip(verdicts, folds, strict=True) if f != fold])
        confidence[folds == fold] = _confidence(verdicts, fitted)[folds == fold]
    found = _of(confidence, _right(verdicts))
    return Scaled(temperature=fit_temperature(verdicts), ece=found.ece, brier=found.brier)


def fit_temperature(verdicts: Sequence[Stated]) -> float:
    """The T of least log loss, searched over logs of T in steps of 0.05, between 0.01 and 100."""
    margins, right = np.array([one.margin for one in verdicts]), _right(verdicts)
    signed = np.where(right == 1, margins, -margins)
    losses = [float(np.logaddexp(0, -signed / exp(log_t)).mean()) for log_t in _LOG_TEMPERATURES]
    return exp(float(_LOG_TEMPERATURES[int(np.argmin(losses))]))


def _confidence(verdicts: Sequence[Stated], temperature: float) -> npt.NDArray[np.float64]:
    margins = np.array([one.margin for one in verdicts])
    return np.asarray(1 / (1 + np.exp(-margins / temperature)), dtype=np.float64)


def _right(verdicts: Sequence[Stated]) -> npt.NDArray[np.float64]:
    return np.array([float(one.right) for one in verdicts])


def _of(confidence: npt.NDArray[np.float64], right: npt.NDArray[np.float64]) -> Reliability:
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
