"""From the labels of a comparison to one human winner, or to the reason why there is none yet."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from schemas.events import Label, latest
from schemas.records import HumanWinner, LabelRole

# One person's verdict is an opinion; two independent ones that agree are ground truth (design §6).
LABELLERS = 2

State = Literal["agreed", "adjudicated", "open", "disputed", "contradictory"]
"""open: too few labellers; disputed: they disagree; contradictory: adjudications disagree."""


@dataclass(frozen=True, kw_only=True)
class Adjudication:
    """What people decided on one comparison, in terms of that comparison's A and B."""

    comparison_id: str
    prompt_id: str
    content_sha256: str
    state: State
    winner: HumanWinner | None
    label_ids: tuple[str, ...]
    occurred_at: datetime


def adjudicate(labels: Sequence[Label]) -> Adjudication:
    """The verdict over all labels of one comparison (at least one stands; audits do not count).

    An adjudication decides; without one, two labellers who agree do. Of several labels by one
    person in one role the earliest that they did not withdraw stands, so a second look at others'
    labels changes nothing.
    """
    standing = _standing(labels)
    if not standing:
        raise ValueError("an adjudication needs at least one label that is not an audit")
    first = standing[0]
    state, winner = _decide(standing)
    return Adjudication(
        comparison_id=first.comparison_id,
        prompt_id=first.prompt_id,
        content_sha256=first.content_sha256,
        state=state,
        winner=winner,
        label_ids=tuple(label.event_id for label in standing),
        occurred_at=latest(*(label.occurred_at for label in standing)),
    )


def adjudicate_all(labels: Iterable[Label]) -> dict[str, Adjudication]:
    """Adjudications by comparison id, where a label stands; a label seen twice counts once."""
    groups: defaultdict[str, dict[str, Label]] = defaultdict(dict)
    for label in labels:
        if label.role is not LabelRole.AUDIT:
            groups[label.comparison_id].setdefault(label.event_id, label)
    return {
        key: adjudicate(list(group.values()))
        for key, group in groups.items()
        if _standing(list(group.values()))
    }


def not_withdrawn(labels: Iterable[Label]) -> list[Label]:
    """The labels that their own annotator did not take back, in the order given."""
    given = list(labels)
    withdrawn = {(label.withdraws, label.annotator) for label in given if label.withdraws}
    return [
        label
        for label in given
        if label.withdraws is None and (label.event_id, label.annotator) not in withdrawn
    ]


def unmeasured(labels: Iterable[Label]) -> dict[str, int]:
    """Labelled comparisons that cannot measure a judge, by why: the open states, or a tie."""
    counts: Counter[str] = Counter()
    for one in adjudicate_all(labels).values():
        if one.winner is None:
            counts[one.state] += 1
        elif one.winner not in (HumanWinner.A, HumanWinner.B):
            counts["tie"] += 1
    return dict(sorted(counts.items()))


def _standing(labels: Sequence[Label]) -> list[Label]:
    ordered = sorted(not_withdrawn(labels), key=lambda label: (label.occurred_at, label.event_id))
    by_person: dict[tuple[str, LabelRole], Label] = {}
    for label in ordered:
        if label.role is not LabelRole.AUDIT:
            by_person.setdefault((label.annotator, label.role), label)
    return list(by_person.values())


def _decide(labels: Sequence[Label]) -> tuple[State, HumanWinner | None]:
    rulings = {label.winner for label in labels if label.role is LabelRole.ADJUDICATION}
    if len(rulings) > 1:
        return "contradictory", None
    if rulings:
        return "adjudicated", rulings.pop()
    votes = [label.winner for label in labels if label.role is LabelRole.LABEL]
    if len(set(votes)) > 1:
        return "disputed", None
    if len(votes) < LABELLERS:
        return "open", None
    return "agreed", votes[0]
