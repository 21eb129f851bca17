"""The share of preferences that are the wrong way round, corrected for auditors who err too. Pure.

An auditor who errs with probability e calls a right preference wrong, and a wrong one right. Of an
apparent error q the true one is then p = (q − e) / (1 − 2e) (Rogan and Gladen, American Journal of
Epidemiology 107, 1978, with sensitivity and specificity both 1 − e).
"""

from dataclasses import dataclass
from math import sqrt

from schemas.errors import ConfigError
from schemas.interval import two_sided_z

FLIP_LIMIT = 0.5
"""Half of the labels wrong: nothing to learn, and the robust loss divides by one minus twice it."""


LEAST_PAIRS = 30
"""Pairs of labels below which the auditors' error is anybody's guess, and nothing is corrected."""


@dataclass(frozen=True, kw_only=True)
class Rate:
    """A share with its 95 % interval, and of how many."""

    value: float
    low: float
    high: float
    n: int


@dataclass(frozen=True, kw_only=True)
class AuditorError:
    """``rate`` is e; None where it is not known, which ``unknown`` puts in words."""

    rate: float | None
    standard_error: float
    pairs: int
    unknown: str = ""

    @property
    def is_a_coin(self) -> bool:
        """Whether people disagree so often that their audit says nothing."""
        return self.rate is None and self.pairs >= LEAST_PAIRS


def auditor_error(pairs: int, disagreements: int) -> AuditorError:
    """e of people who label independently and err alike: they disagree with 2e(1 − e).

    From pairs of labels of one anchor, ties apart. Against the adjudicated label it would be too
    small, for where both err alike nobody adjudicates. Not known from fewer than 30 pairs, nor of
    people who disagree half of the time or more: then there is no e below a half.
    """
    if not 0 <= disagreements <= pairs:
        raise ValueError(f"{disagreements} disagreements of {pairs}: must be between 0 and n")
    if pairs < LEAST_PAIRS:
        said = f"two people labelled only {pairs} anchors, of {LEAST_PAIRS} that are needed"
        return AuditorError(rate=None, standard_error=0.0, pairs=pairs, unknown=said)
    if 2 * disagreements >= pairs:
        said = (
            f"people disagree on {disagreements} of {pairs} anchors, as often as a coin, so an "
            "audit by them says nothing: train the people or clarify the rubric"
        )
        return AuditorError(rate=None, standard_error=0.0, pairs=pairs, unknown=said)
    share = disagreements / pairs
    root = sqrt(1 - 2 * share)
    # a sample without disagreement does not prove that there is none
    shrunk = (disagreements + 1) / (pairs + 2)
    spread = sqrt(shrunk * (1 - shrunk) / pairs)
    return AuditorError(rate=(1 - root) / 2, standard_error=spread / (2 * root), pairs=pairs)


def true_error(checked: int, wrong: int, auditors: AuditorError, z: float | None = None) -> Rate:
    """p of ``wrong`` of ``checked`` preferences, with its interval.

    The interval is the delta method's around counts with z²/2 added to either side (Agresti and
    Coull 1998; Lang and Reiczigel 2014 for the corrected share), cut to [0, 1]. Raises
    ``ValueError`` for no checks.
    """
    if not 0 <= wrong <= checked or checked == 0:
        raise ValueError(f"{wrong} wrong of {checked}: must be between 0 and n, n at least 1")
    z = two_sided_z() if z is None else z
    e = auditors.rate or 0.0
    width = 1 - 2 * e
    n = checked + z * z
    centre_q = (wrong + z * z / 2) / n
    centre = (centre_q - e) / width
    slope = (2 * centre - 1) / width
    half = z * sqrt(
        centre_q * (1 - centre_q) / (n * width**2) + (slope * auditors.standard_error) ** 2
    )
    value = _share((wrong / checked - e) / width)
    return Rate(
        value=value,
        low=min(_share(centre - half), value),
        high=max(_share(centre + half), value),
        n=checked,
    )


def flip_rate(error: float, rlaif_share: float) -> float:
    """The share of all rows that are flipped, where only rlaif rows can be. Raises ``ConfigError``
    at a half or more.
    """
    rate = error * rlaif_share
    if rate >= FLIP_LIMIT:
        raise ConfigError(
            f"{rate:.0%} of the labels are the wrong way round by what is known; training on them "
            "teaches nothing: raise the filter's min_margin or change the judge"
        )
    return rate


def _share(value: float) -> float:
    return min(max(value, 0.0), 1.0)
