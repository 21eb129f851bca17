"""How much a candidate differs from the reference on the same prompts, with bounds. Pure."""

from collections.abc import Sequence
from math import sqrt

from schemas.interval import CONFIDENCE, one_sided_z
from schemas.records import GateResult, Record, Verdict


class Difference(Record):
    """Candidate minus reference, a mean over ``n`` prompts that both answered.

    ``low`` and ``high`` are one-sided 95 % bounds each (unless another z was asked for); all are
    None for n < 2.
    """

    n: int
    value: float | None = None
    low: float | None = None
    high: float | None = None

    def __str__(self) -> str:
        if self.value is None:
            return f"unknown (n = {self.n})"
        return f"{self.value:+.3f} [{self.low:+.3f}, {self.high:+.3f}] over {self.n} prompts"


def shared_z(looks: int) -> float:
    """The one-sided quantile where so many differences are looked at (Bonferroni): with enough of
    them one would always seem to have lost."""
    return one_sided_z(1 - (1 - CONFIDENCE) / looks)


def share_difference(differences: Sequence[float], z: float | None = None) -> Difference:
    """Of values in [-1, 1], such as passed minus passed.

    Bonett and Price 2012 (J. Educ. Behav. Stat. 37:479): one pair is added for either side, so that
    a handful of equal answers is not taken for certainty. ``value`` is the plain mean.
    """
    n = len(differences)
    if n < 2:
        return Difference(n=n)
    padded, total = n + 2, sum(differences)
    centre = total / padded
    spread = (sum(d * d for d in differences) + 2) / padded - centre * centre
    half = (one_sided_z() if z is None else z) * sqrt(spread / padded)
    return Difference(
        n=n, value=total / n, low=max(-1.0, centre - half), high=min(1.0, centre + half)
    )


def mean_difference(values: Sequence[float]) -> Difference:
    """Of values without bounds, such as log-ratios of lengths: the mean and its normal bounds."""
    n = len(values)
    if n < 2:
        return Difference(n=n)
    mean = sum(values) / n
    half = one_sided_z() * sqrt(sum((v - mean) ** 2 for v in values) / (n - 1) / n)
    return Difference(n=n, value=mean, low=mean - half, high=mean + half)


def at_least(name: str, found: Difference, floor: float, detail: str = "") -> GateResult:
    """PASS where even the lower bound reaches the floor, FAIL where not even the upper one does."""
    verdict = Verdict.INCONCLUSIVE
    if found.low is not None and found.high is not None:
        if found.low >= floor:
            verdict = Verdict.PASS
        elif found.high < floor:
            verdict = Verdict.FAIL
    return GateResult(
        name=name,
        verdict=verdict,
        value=found.value,
        threshold=floor,
        detail=f"{found}{f'; {detail}' if detail else ''}",
    )


def at_most(name: str, found: Difference, ceiling: float, detail: str = "") -> GateResult:
    """PASS where even the upper bound stays under the ceiling; see ``at_least``."""
    turned = at_least(name, _negated(found), -ceiling)
    return turned.model_copy(
        update={
            "value": found.value,
            "threshold": ceiling,
            "detail": f"{found}{f'; {detail}' if detail else ''}",
        }
    )


def unless_below(name: str, found: Difference, floor: float, detail: str = "") -> GateResult:
    """A veto: FAIL where not even the upper bound reaches the floor, else PASS."""
    asked = at_least(name, found, floor, detail)
    vetoed = asked.verdict is Verdict.FAIL
    return asked.model_copy(update={"verdict": Verdict.FAIL if vetoed else Verdict.PASS})


def _negated(found: Difference) -> Difference:
    if found.value is None or found.low is None or found.high is None:
        return found
    return Difference(n=found.n, value=-found.value, low=-found.high, high=-found.low)
