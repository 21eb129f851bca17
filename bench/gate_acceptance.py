"""How often a judge that should not pass does, if it is only tried often enough: by simulation.

    python -m bench.gate_acceptance [--trials 4000] [--kappa 0.65 0.70 0.85] [--json]

Ten tries in two ways: ten looks at one judge while anchors come in (100, then 50 more each time),
and ten re-tuned judges on 300 anchors each, all of the same true kappa and with errors of their
own. Four gates: kappa itself against 0.72 (the naive gate), its one-sided 95 % lower bound, that
bound at the level that the look may spend, and with it the holdout's veto (150 locked anchors,
read once for each judge).
"""

import argparse
import json
import sys
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from functools import lru_cache
from typing import Literal

import numpy as np

from consumers.calibration.agreement import Kappa, cohen_kappa
from consumers.calibration.kappa_interval import kappa_interval
from schemas.alpha_spending import ALPHA, spent_alpha
from schemas.interval import one_sided_z
from schemas.records import ConfusionCell

TRIES = 10
FIRST_ANCHORS, MORE_ANCHORS = 100, 50
ANCHORS_A_JUDGE = 300
LOCKED_ANCHORS = 150
MIN_KAPPA = 0.72

Scenario = Literal["10 looks at growing data", "10 re-tuned judges"]
Counts = tuple[int, int, int, int]
"""Of the anchors where people said A: agreed, not; then of those where they said B."""


@dataclass(frozen=True, kw_only=True)
class Acceptance:
    """Share of trials in which a judge passed at least once; ``strict`` also pays for judges."""

    scenario: Scenario
    true_kappa: float
    trials: int
    point: float
    lower_bound: float
    spent: float
    spent_and_holdout: float
    strict_and_holdout: float


@dataclass(frozen=True)
class _Try:
    """One look: its number, the judge's, what was measured, and the judge's holdout."""

    look: int
    judge: int
    measured: Counts
    holdout: Counts


def acceptance(scenario: Scenario, true_kappa: float, trials: int, seed: int = 1) -> Acceptance:
    """Simulate ``trials`` teams that try ten times; the same seed gives the same figures.

    The A/B frame is balanced at random, so a judge of kappa k agrees with probability (1 + k) / 2.
    """
    draw = np.random.default_rng(seed)
    passed = np.zeros(5)
    for _ in range(trials):
        passed += _outcome(list(_tries(scenario, (1 + true_kappa) / 2, draw)))
    point, lower, spent, held, strict = (float(share) for share in passed / trials)
    return Acceptance(
        scenario=scenario,
        true_kappa=true_kappa,
        trials=trials,
        point=point,
        lower_bound=lower,
        spent=spent,
        spent_and_holdout=held,
        strict_and_holdout=strict,
    )


def _tries(scenario: Scenario, agrees: float, draw: np.random.Generator) -> Iterator[_Try]:
    if scenario == "10 re-tuned judges":
        for judge in range(1, TRIES + 1):
            measured = _anchors(ANCHORS_A_JUDGE, agrees, draw)
            yield _Try(1, judge, measured, _anchors(LOCKED_ANCHORS, agrees, draw))
        return
    holdout = _anchors(LOCKED_ANCHORS, agrees, draw)
    measured = (0, 0, 0, 0)
    for look in range(1, TRIES + 1):
        more = _anchors(FIRST_ANCHORS if look == 1 else MORE_ANCHORS, agrees, draw)
        a, b, c, d = (have + new for have, new in zip(measured, more, strict=True))
        measured = a, b, c, d
        yield _Try(look, 1, measured, holdout)


def _anchors(n: int, agrees: float, draw: np.random.Generator) -> Counts:
    a = int(draw.binomial(n, 0.5))
    right_a, right_b = int(draw.binomial(a, agrees)), int(draw.binomial(n - a, agrees))
    return right_a, a - right_a, right_b, n - a - right_b


def _outcome(tries: Sequence[_Try]) -> tuple[bool, bool, bool, bool, bool]:
    held = [(_kappa(one.holdout).value or 0) >= MIN_KAPPA for one in tries]
    spent = [_bound(one.measured, spent_alpha(one.look)) >= MIN_KAPPA for one in tries]
    strict = [
        _bound(one.measured, spent_alpha(one.look, spent_alpha(one.judge))) >= MIN_KAPPA
        for one in tries
    ]
    return (
        any((_kappa(one.measured).value or 0) >= MIN_KAPPA for one in tries),
        any(_bound(one.measured, ALPHA) >= MIN_KAPPA for one in tries),
        any(spent),
        any(map(bool.__and__, spent, held)),
        any(map(bool.__and__, strict, held)),
    )


@lru_cache(maxsize=200_000)
def _kappa(counts: Counts) -> Kappa:
    labels = (("A", "A"), ("A", "B"), ("B", "B"), ("B", "A"))
    return cohen_kappa(
        tuple(
            ConfusionCell(human=human, judge=judge, n=n)
            for (human, judge), n in zip(labels, counts, strict=True)
        )
    )


@lru_cache(maxsize=200_000)
def _bound(counts: Counts, alpha: float) -> float:
    found = kappa_interval(_kappa(counts), one_sided_z(1 - alpha))
    return -1.0 if found is None else found.low


def main() -> None:
    """One line a figure."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--trials", type=int, default=4000)
    parser.add_argument("--kappa", type=float, nargs="+", default=[0.65, 0.70, 0.85])
    parser.add_argument("--json", action="store_true", dest="as_json")
    options = parser.parse_args()
    scenarios: tuple[Scenario, ...] = ("10 looks at growing data", "10 re-tuned judges")
    found = [
        acceptance(scenario, kappa, options.trials)
        for kappa in options.kappa
        for scenario in scenarios
    ]
    if options.as_json:
        sys.stdout.write(json.dumps([asdict(one) for one in found]) + "\n")
        return
    for one in found:
        sys.stdout.write(f"true kappa {one.true_kappa:g}, {one.scenario}: share accepted\n")
        for title, share in (
            ("kappa itself (naive)", one.point),
            ("95 % lower bound", one.lower_bound),
            ("bound at the spent level", one.spent),
            ("  and the holdout's veto", one.spent_and_holdout),
            ("  and paid for judges too", one.strict_and_holdout),
        ):
            sys.stdout.write(f"  {title:28} {share:7.2%}\n")


if __name__ == "__main__":
    main()
