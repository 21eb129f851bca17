"""Which adjudication belongs to which comparison: the one of the same texts, on either side."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from consumers.calibration.adjudicate import Adjudication, adjudicate_all
from consumers.calibration.content import orientation, turned
from schemas.events import Comparison, Label
from schemas.records import HumanWinner

ByPrompt = dict[str, list[Adjudication]]


@dataclass(frozen=True, kw_only=True)
class HumanVerdict:
    """What people decided, in terms of the comparison that was asked about."""

    winner: HumanWinner
    adjudication: Adjudication


def by_prompt(adjudications: Iterable[Adjudication]) -> ByPrompt:
    """Adjudications by prompt id, in an order that does not depend on the input's."""
    groups: defaultdict[str, list[Adjudication]] = defaultdict(list)
    for adjudication in sorted(adjudications, key=lambda one: one.comparison_id):
        groups[adjudication.prompt_id].append(adjudication)
    return dict(groups)


def human_verdict(comparison: Comparison, adjudications: ByPrompt) -> HumanVerdict | None:
    """The decided adjudication of the comparison's two texts; None where there is none.

    The comparison's own id goes before equal texts under another id. A label whose content hash
    fits neither order was given to other texts and never counts, whatever id it names.
    """
    for adjudication in _own_first(comparison, adjudications.get(comparison.prompt_id, [])):
        order = orientation(adjudication.content_sha256, comparison)
        if order is not None and adjudication.winner is not None:
            return HumanVerdict(
                winner=turned(adjudication.winner, order), adjudication=adjudication
            )
    return None


def _own_first(comparison: Comparison, found: Sequence[Adjudication]) -> list[Adjudication]:
    return sorted(found, key=lambda one: one.comparison_id != comparison.event_id)


def human_winners(
    comparisons: Iterable[Comparison], labels: Iterable[Label]
) -> dict[str, HumanWinner]:
    """What people decided, by comparison id; what they did not decide is missing."""
    adjudications = by_prompt(adjudicate_all(labels).values())
    found = ((one.event_id, human_verdict(one, adjudications)) for one in comparisons)
    return {event_id: verdict.winner for event_id, verdict in found if verdict is not None}
