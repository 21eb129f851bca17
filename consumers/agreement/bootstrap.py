"""Confidence bounds of kappa where items of one prompt are not independent."""

from collections import defaultdict
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from schemas.interval import Interval

RESAMPLES = 4_000
_SEED = 20_161
_CHUNK = 200


def cluster_bootstrap(
    ratings: Sequence[tuple[str, str]], clusters: Sequence[str], confidence: float
) -> Interval | None:
    """Percentile interval of kappa over resampled clusters (Davison and Hinkley 1997, §3.8).

    ``ratings`` are (human, judge), ``clusters`` the cluster of each. Whole clusters are drawn with
    replacement, 4,000 times, always with the same seed. Resamples of one class only have no kappa
    and are left out; None where fewer than half have one, or there is a single cluster.
    """
    tables = _tables(ratings, clusters)
    if len(tables) < 2:
        return None
    draw = np.random.default_rng(_SEED)
    shares = np.full(len(tables), 1 / len(tables))
    found: list[npt.NDArray[np.float64]] = []
    for _ in range(RESAMPLES // _CHUNK):
        times = draw.multinomial(len(tables), shares, size=_CHUNK)
        found.append(_kappas(np.tensordot(times, tables, axes=1)))
    kappas = np.concatenate(found)
    defined = kappas[~np.isnan(kappas)]
    if len(defined) < RESAMPLES / 2:
        return None
    tail = (1 - confidence) / 2
    low, high = np.quantile(defined, [tail, 1 - tail])
    return Interval(low=float(low), high=float(high))


def _tables(ratings: Sequence[tuple[str, str]], clusters: Sequence[str]) -> npt.NDArray[np.float64]:
    """Confusion counts of each cluster: (clusters, classes, classes)."""
    place = {
        label: n for n, label in enumerate(sorted({label for pair in ratings for label in pair}))
    }
    counts: defaultdict[str, npt.NDArray[np.float64]] = defaultdict(
        lambda: np.zeros((len(place), len(place)))
    )
    for (human, judge), cluster in zip(ratings, clusters, strict=True):
        counts[cluster][place[human], place[judge]] += 1
    return np.array(list(counts.values()))


def _kappas(tables: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Kappa of each table; NaN where it is undefined."""
    n = tables.sum(axis=(1, 2))
    observed = np.trace(tables, axis1=1, axis2=2) / n
    expected = (tables.sum(axis=2) * tables.sum(axis=1)).sum(axis=1) / n**2
    undefined = expected >= 1 - 1e-12
    return np.where(undefined, np.nan, (observed - expected) / np.where(undefined, 1, 1 - expected))
