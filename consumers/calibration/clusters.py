"""The error of kappa where several items share a prompt, and so are not independent."""

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import replace
from math import sqrt

from consumers.calibration.agreement import Kappa, cohen_kappa, confusion, influences


def clustered_kappa(ratings: Sequence[tuple[str, str]], clusters: Sequence[str]) -> Kappa:
    """Kappa of (human, judge) ratings, with an error that counts clusters and not items.

    The linearised variance of a ratio under cluster sampling: what each item adds to kappa, summed
    within its cluster, times C / (C − 1) (Binder 1983). Where no cluster has two items it is that
    of ``cohen_kappa``. The error is None where all items share one cluster: it cannot be told.
    """
    cells = confusion(ratings)
    kappa = cohen_kappa(cells)
    sizes = Counter(clusters)
    if kappa.value is None or len(sizes) == kappa.n:
        return kappa
    if len(sizes) < 2:
        return replace(kappa, standard_error=None)
    adds = influences(cells)
    sums: defaultdict[str, float] = defaultdict(float)
    for rating, cluster in zip(ratings, clusters, strict=True):
        sums[cluster] += adds[rating]
    spread = sum(total**2 for total in sums.values()) * len(sizes) / (len(sizes) - 1)
    return replace(kappa, standard_error=sqrt(spread) / kappa.n)
