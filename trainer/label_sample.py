"""Which comparisons of a round's anchors people are asked about: a sample of each kind. Pure."""

from collections.abc import Sequence

from schemas.events import Comparison, Judgment
from schemas.ids import unit_interval
from streams.filter_rules import verifier_decided

LABELS = 400
"""By default: of so many a win rate is within 5 points (95 %)."""

_LEAST_SHARE = 0.25


def label_sample(judgments: Sequence[Judgment], most: int = LABELS) -> list[Comparison]:
    """At most ``most`` of them, by a stable hash of their ids.

    What the judge decided comes first, for it is calibrated on that, and people call much of it a
    tie; but a quarter is what verifiers decided, as far as there is so much: they may err as well.
    """
    decided = [one.comparison for one in judgments if verifier_decided(one)]
    judged = [one.comparison for one in judgments if not verifier_decided(one)]
    by_verifier = min(len(decided), max(round(most * _LEAST_SHARE), most - len(judged)))
    return _drawn(judged, most - by_verifier) + _drawn(decided, by_verifier)


def _drawn(comparisons: Sequence[Comparison], n: int) -> list[Comparison]:
    return sorted(comparisons, key=lambda one: unit_interval("labels", one.event_id))[:n]
