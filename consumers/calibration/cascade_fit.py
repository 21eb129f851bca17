"""From where on a panel's first member may decide alone, by labelled anchors. Pure.

A verdict of the first alone is a loss where the whole panel would have named people's winner and
the first does not. The lower the bound, the more anchors it settles and the more losses there are,
so the bounds are tried from the highest down, and the last one is taken whose share of losses is
with 95 % confidence at most what is allowed: a fixed sequence of tests, which needs no correction
for its many looks (Angelopoulos et al. 2021, Learn then Test).
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from consumers.calibration.judged_anchor import JudgedAnchor
from schemas.errors import ConfigError
from schemas.exact_bound import exact_upper
from schemas.interval import CONFIDENCE
from streams.judge.cascade import sureness
from streams.judge.combine import ballot, combine
from streams.judge.panel import Cascade, Panel


@dataclass(frozen=True, kw_only=True)
class WantedCascade:
    """Who goes first, and the share of anchors that may be lost by it."""

    first: str
    max_loss: float


@dataclass(frozen=True, kw_only=True)
class CascadeFit:
    """A bound and what it does to ``anchors``; ``lost_at_most`` is the upper bound of the share."""

    cascade: Cascade
    anchors: int
    settled: int
    lost: int
    lost_at_most: float

    @property
    def said(self) -> str:
        """The same in words."""
        return (
            f"settles {self.settled} of {self.anchors}, loses {self.lost} that the panel gets "
            f"right (at most {self.lost_at_most:.2%}, 95 %)"
        )


def fit_cascade(panel: Panel, wanted: WantedCascade, heard: Sequence[JudgedAnchor]) -> CascadeFit:
    """The lowest bound at which at most ``max_loss`` of the anchors are lost.

    ``panel`` has its weights. Raises ``ConfigError`` where no bound is proven to be that good.
    """
    first, max_loss = wanted.first, wanted.max_loss
    rated = sorted(
        ((sure, _is_lost(panel, first, one)) for one in heard if (sure := _sure(first, one))),
        key=lambda each: -each[0],
    )
    if not rated:
        raise ConfigError(f"{first} is sure of no anchor: it decided none with a margin")
    found: CascadeFit | None = None
    lost = 0
    for settled, (sure, is_loss) in enumerate(rated, 1):
        lost += is_loss
        if settled < len(rated) and rated[settled][0] == sure:
            continue  # a bound settles all that are equally sure
        bound = exact_upper(lost, len(heard))
        if bound > max_loss:
            break
        found = CascadeFit(
            cascade=Cascade(first=first, settled_margin=sure),
            anchors=len(heard),
            settled=settled,
            lost=lost,
            lost_at_most=bound,
        )
    if found is None:
        least = math.ceil(math.log(1 - CONFIDENCE) / math.log(1 - max_loss))
        raise ConfigError(
            f"no bound of {first} loses provably at most {max_loss:.1%} of {len(heard)} anchors, "
            f"which takes {least} anchors even without a loss; label more, or allow more"
        )
    return found


def _sure(first: str, one: JudgedAnchor) -> float | None:
    return sureness(one.verdicts[first], one.opinions[first])


def _is_lost(panel: Panel, first: str, one: JudgedAnchor) -> bool:
    whole = combine(
        [ballot(member.weight, one.opinions[member.name]) for member in panel.members],
        panel.method,
    )
    return whole.winner is one.human and one.verdicts[first].winner is not one.human
