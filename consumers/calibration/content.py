"""What exactly was labelled: a hash of the two texts, so that a label outlives the comparison's id.

A comparison made again under another stage configuration has a new id and may have its sides
exchanged; the labels given to the same two texts still hold, turned round where needed.
"""

import json

from schemas.events import Comparison, Label
from schemas.ids import text_sha256
from schemas.records import HumanWinner, Order

_EXCHANGED = {HumanWinner.A: HumanWinner.B, HumanWinner.B: HumanWinner.A}
_OTHER_ORDER = {Order.AB: Order.BA, Order.BA: Order.AB}


def comparison_sha256(comparison: Comparison) -> str:
    """Hash of prompt id, A's text and B's text: ``Label.content_sha256``."""
    return _sha256(
        comparison.prompt_id, comparison.a.candidate.output, comparison.b.candidate.output
    )


def orientation(content_sha256: str, comparison: Comparison) -> Order | None:
    """How labelled content stands in ``comparison``: AB as labelled, BA exchanged, None other."""
    as_it_stands, exchanged = either_sha256(comparison)
    if content_sha256 == as_it_stands:
        return Order.AB
    return Order.BA if content_sha256 == exchanged else None


def as_given_to(label: Label, comparison: Comparison) -> Label | None:
    """The label in terms of this comparison's id and sides; None where it is about other texts."""
    order = orientation(label.content_sha256, comparison)
    if order is None:
        return None
    seen = label.order if order is Order.AB else _OTHER_ORDER[label.order]
    return label.model_copy(
        update={
            "comparison_id": comparison.event_id,
            "content_sha256": comparison_sha256(comparison),
            "winner": turned(label.winner, order),
            "order": seen,
        }
    )


def either_sha256(comparison: Comparison) -> tuple[str, str]:
    """Both hashes that a label of these two texts may carry: as they stand, and exchanged."""
    a, b = comparison.a.candidate.output, comparison.b.candidate.output
    return _sha256(comparison.prompt_id, a, b), _sha256(comparison.prompt_id, b, a)


def turned(winner: HumanWinner, order: Order) -> HumanWinner:
    """The verdict in terms of a comparison whose sides stand in ``order`` to the labelled ones."""
    return winner if order is Order.AB else _EXCHANGED.get(winner, winner)


def _sha256(prompt_id: str, a: str, b: str) -> str:
    return text_sha256(json.dumps([prompt_id, a, b]))
