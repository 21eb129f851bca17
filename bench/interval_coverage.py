"""How often kappa's intervals hold the true kappa, by simulation: they should as often as they say.

    python -m bench.interval_coverage [--trials 20000] [--json]

The A/B frame is balanced at random; the judge of true kappa k agrees with probability (1 + k) / 2.
Counts are whole, so coverage at one kappa goes up and down with n (Brown, Cai and DasGupta 2001):
the last line of a size is over true kappas drawn evenly from 0.4 to 0.9, which evens that out.
Beside the atanh interval stand the plain one, kappa ± 1.96 standard errors, Wilson's of the
observed agreement at the same chance, and, with --bootstrap (minutes), the percentile bootstrap.
"""

import argparse
import json
import sys
from collections import Counter
from dataclasses import asdict, dataclass
from functools import lru_cache

import numpy as np

from consumers.agreement.bootstrap import cluster_bootstrap
from consumers.calibration.agreement import cohen_kappa
from consumers.calibration.kappa_interval import kappa_interval
from schemas.interval import Interval, two_sided_z, wilson
from schemas.records import ConfusionCell

SIZES = (50, 100, 200)
KAPPAS = (0.4, 0.6, 0.72, 0.8, 0.85, 0.9)
LOW, HIGH = 0.4, 0.9
_LABELS = (("A", "A"), ("A", "B"), ("B", "B"), ("B", "A"))

Counts = tuple[int, int, int, int]


@dataclass(frozen=True, kw_only=True)
class Coverage:
    """Share of intervals that hold the truth; ``true_kappa`` None is evenly from 0.4 to 0.9, and
    ``bootstrap`` None where it was not asked for.

    ``undefined`` counts samples that have no kappa, which no interval can hold.
    """

    n: int
    true_kappa: float | None
    nominal: float
    atanh: float
    plain: float
    wilson: float
    bootstrap: float | None
    undefined: int


def coverage(
    n: int, true_kappa: float | None, trials: int, seed: int = 1, *, bootstrap: bool = False
) -> Coverage:
    """Two-sided 95 % coverage over ``trials`` samples of ``n`` anchors; a seed gives the same."""
    draw = np.random.default_rng(seed)
    kappas = draw.uniform(LOW, HIGH, trials) if true_kappa is None else [true_kappa] * trials
    held: Counter[str] = Counter()
    for kappa in kappas:
        agrees = (1 + kappa) / 2
        shares = [agrees / 2, (1 - agrees) / 2, agrees / 2, (1 - agrees) / 2]
        a, b, c, d = (int(count) for count in draw.multinomial(n, shares))
        counts = (a, b, c, d)
        intervals = _intervals(counts) | (_bootstrap(counts) if bootstrap else {})
        held["undefined"] += not intervals
        held.update(name for name, one in intervals.items() if one.low <= kappa <= one.high)
    return Coverage(
        n=n,
        true_kappa=true_kappa,
        nominal=0.95,
        atanh=held["atanh"] / trials,
        plain=held["plain"] / trials,
        wilson=held["wilson"] / trials,
        bootstrap=held["bootstrap"] / trials if bootstrap else None,
        undefined=held["undefined"],
    )


@lru_cache(maxsize=200_000)
def _intervals(counts: Counts) -> dict[str, Interval]:
    """By name; none of a sample that has no kappa."""
    cells = tuple(
        ConfusionCell(human=human, judge=judge, n=n)
        for (human, judge), n in zip(_LABELS, counts, strict=True)
    )
    kappa, z = cohen_kappa(cells), two_sided_z()
    bounds = kappa_interval(kappa, z)
    if kappa.value is None or kappa.standard_error is None or kappa.expected is None or not bounds:
        return {}
    half, chance = z * kappa.standard_error, kappa.expected
    agreed = wilson(counts[0] + counts[2], kappa.n, z)
    return {
        "atanh": bounds,
        "plain": Interval(low=kappa.value - half, high=kappa.value + half),
        "wilson": Interval(
            low=(agreed.low - chance) / (1 - chance), high=(agreed.high - chance) / (1 - chance)
        ),
    }


@lru_cache(maxsize=200_000)
def _bootstrap(counts: Counts) -> dict[str, Interval]:
    ratings = [label for label, n in zip(_LABELS, counts, strict=True) for _ in range(n)]
    found = cluster_bootstrap(ratings, [str(place) for place in range(len(ratings))], 0.95)
    return {} if found is None else {"bootstrap": found}


def main() -> None:
    """One line a size and kappa."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--trials", type=int, default=20_000)
    parser.add_argument("--bootstrap", action="store_true")
    parser.add_argument("--json", action="store_true", dest="as_json")
    options = parser.parse_args()
    found = [
        coverage(n, kappa, options.trials, bootstrap=options.bootstrap)
        for n in SIZES
        for kappa in (*KAPPAS, None)
    ]
    if options.as_json:
        sys.stdout.write(json.dumps([asdict(one) for one in found]) + "\n")
        return
    for one in found:
        where = "0.4 to 0.9" if one.true_kappa is None else f"{one.true_kappa:.2f}"
        sys.stdout.write(
            f"n {one.n:4}  true kappa {where:10}  atanh {one.atanh:.2%}  plain {one.plain:.2%}  "
            f"wilson {one.wilson:.2%}  "
            + ("" if one.bootstrap is None else f"bootstrap {one.bootstrap:.2%}  ")
            + f"(nominal {one.nominal:.0%}, undefined {one.undefined})\n"
        )


if __name__ == "__main__":
    main()
