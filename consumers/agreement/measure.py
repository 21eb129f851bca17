"""Agreement of one set of ratings in numbers. Undefined statistics are None, never 0 or NaN."""

from collections.abc import Sequence
from dataclasses import replace
from math import sqrt
from typing import Literal

import krippendorff
import numpy as np
from pydantic import Field
from statsmodels.stats.inter_rater import cohens_kappa

from consumers.agreement.bootstrap import cluster_bootstrap
from consumers.calibration.agreement import Confusion, cohen_kappa, confusion, macro_f1
from consumers.calibration.kappa_interval import kappa_interval
from schemas.interval import CONFIDENCE, two_sided_z
from schemas.records import Record

Weights = Literal["linear", "quadratic"]


class Rates(Record):
    """How often the judge says a label where people do, and does not where they do not."""

    true_positive_rate: float | None
    true_negative_rate: float | None
    prevalence: float = Field(ge=0, le=1)
    """Share of the label among people's verdicts."""


class Agreement(Record):
    """``low`` and ``high`` are two-sided bounds of ``kappa`` at ``confidence``.

    ``pabak`` is kappa were all classes equally frequent (Byrt, Bishop and Carlin 1993);
    ``alpha`` is Krippendorff's, nominal. ``confusion`` counts by human label, then by judge's.
    ``undefined`` says why there is no kappa.
    """

    n: int = Field(ge=0)
    kappa: float | None
    se: float | None
    low: float | None
    high: float | None
    confidence: float
    interval: Literal["atanh", "cluster_bootstrap"] | None
    clusters: int
    observed: float | None
    expected: float | None
    pabak: float | None
    alpha: float | None
    macro_f1: float | None
    weighted_kappa: float | None = None
    weighted_se: float | None = None
    rates: dict[str, Rates]
    confusion: dict[str, dict[str, int]]
    undefined: str | None = None


def measure(
    ratings: Sequence[tuple[str, str]],
    clusters: Sequence[str] | None = None,
    *,
    confidence: float = CONFIDENCE,
    order: Sequence[str] = (),
    weights: Weights | None = None,
) -> Agreement:
    """All statistics of (human, judge) ratings.

    The interval is atanh's, or a bootstrap over ``clusters`` where items share them. ``order`` are
    the classes from low to high, for ``weights``; raises ValueError where it lacks one.
    """
    cells = confusion(ratings)
    kappa = cohen_kappa(cells)
    shared = clusters is not None and len(set(clusters)) < len(clusters)
    bounds = kappa_interval(kappa, two_sided_z(confidence))
    if shared and clusters is not None and kappa.value is not None:
        bounds = cluster_bootstrap(ratings, clusters, confidence)
        if bounds is not None and bounds.low == bounds.high:
            # perfect agreement: every resample is perfect too, which three clusters do not show
            counted = replace(kappa, n=len(set(clusters)))
            bounds = kappa_interval(counted, two_sided_z(confidence))
    classes = sorted({label for pair in ratings for label in pair})
    weighted = _weighted(ratings, order, weights) if weights and kappa.value is not None else None
    return Agreement(
        n=kappa.n,
        kappa=kappa.value,
        se=kappa.standard_error,
        low=bounds.low if bounds else None,
        high=bounds.high if bounds else None,
        confidence=confidence,
        interval=None if bounds is None else "cluster_bootstrap" if shared else "atanh",
        clusters=len(set(clusters)) if clusters is not None else kappa.n,
        observed=kappa.observed,
        expected=kappa.expected,
        pabak=_pabak(kappa.observed, len(classes)),
        alpha=_alpha(ratings, classes),
        macro_f1=macro_f1(cells),
        weighted_kappa=weighted[0] if weighted else None,
        weighted_se=weighted[1] if weighted else None,
        rates={label: _rates(cells, label, kappa.n) for label in classes},
        confusion=_nested(cells),
        undefined=_undefined(kappa.n, kappa.value, classes),
    )


def _undefined(n: int, kappa: float | None, classes: Sequence[str]) -> str | None:
    if kappa is not None:
        return None
    if n == 0:
        return "there are no ratings"
    return f"people and judge said {classes[0]!r} every time, so chance alone agrees as often"


def _pabak(observed: float | None, classes: int) -> float | None:
    """(k · observed − 1) / (k − 1) for k classes."""
    if observed is None or classes < 2:
        return None
    return (classes * observed - 1) / (classes - 1)


def _alpha(ratings: Sequence[tuple[str, str]], classes: Sequence[str]) -> float | None:
    if len(classes) < 2:
        return None
    place = {label: n for n, label in enumerate(classes)}
    data = np.array([[place[label] for label in pair] for pair in ratings], dtype=float).T
    return float(krippendorff.alpha(reliability_data=data, level_of_measurement="nominal"))


def _weighted(
    ratings: Sequence[tuple[str, str]], order: Sequence[str], weights: Weights
) -> tuple[float, float]:
    missing = sorted({label for pair in ratings for label in pair} - set(order))
    if missing:
        raise ValueError(f"the order of classes lacks {missing[0]!r}")
    place = {label: n for n, label in enumerate(order)}
    table = np.zeros((len(order), len(order)))
    for human, judge in ratings:
        table[place[human], place[judge]] += 1
    # its variance is rounded to just below zero where raters agree fully, and its root is then NaN
    with np.errstate(invalid="ignore"):
        found = cohens_kappa(table, wt=weights)
    return float(found.kappa), sqrt(max(float(found.var_kappa), 0.0))


def _rates(cells: Confusion, label: str, n: int) -> Rates:
    positive = sum(cell.n for cell in cells if cell.human == label)
    hits = sum(cell.n for cell in cells if cell.human == cell.judge == label)
    quiet = sum(cell.n for cell in cells if label not in (cell.human, cell.judge))
    return Rates(
        true_positive_rate=hits / positive if positive else None,
        true_negative_rate=quiet / (n - positive) if n > positive else None,
        prevalence=positive / n,
    )


def _nested(cells: Confusion) -> dict[str, dict[str, int]]:
    nested: dict[str, dict[str, int]] = {}
    for cell in cells:
        nested.setdefault(cell.human, {})[cell.judge] = cell.n
    return nested
