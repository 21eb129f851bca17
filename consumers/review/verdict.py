"""What a person answers about a pair, and the events that say so."""

from datetime import UTC, datetime
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from consumers.calibration.content import comparison_sha256
from consumers.review.items import Item
from consumers.review.people import Person
from consumers.review.sides import Choice, order_shown, winner_of
from schemas.events import Label
from schemas.ids import derived_id

STAGE = "review"
MAX_COMMENT_CHARACTERS = 4000


class Verdict(BaseModel):
    """One filled-in form; ``criteria`` are those that decided."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    choice: Choice
    criteria: tuple[Annotated[str, Field(max_length=64)], ...] = Field(default=(), max_length=50)
    comment: str = Field(default="", max_length=MAX_COMMENT_CHARACTERS)


def label_of(
    person: Person, item: Item, verdict: Verdict, *, seconds: float, now_s: float, attempt: int
) -> Label:
    """The label event. ``attempt`` counts this person's earlier labels of the item, taken back or
    never acknowledged: the same attempt has the same id."""
    comparison = item.comparison
    order = order_shown(person.name, comparison.event_id)
    sources = (comparison.event_id, item.role.value, person.name)
    return Label(
        event_id=derived_id("Label", STAGE, sources, "", attempt),
        occurred_at=datetime.fromtimestamp(now_s, UTC),
        workload_id=comparison.workload_id,
        config_hash="",
        source_ids=(comparison.event_id,),
        comparison_id=comparison.event_id,
        prompt_id=comparison.prompt_id,
        content_sha256=comparison_sha256(comparison),
        annotator=person.name,
        role=item.role,
        winner=winner_of(verdict.choice, order),
        criteria=verdict.criteria,
        seconds=round(seconds, 1),
        comment=verdict.comment or None,
        order=order,
    )


def withdrawal_of(label: Label, now_s: float) -> Label:
    """The event that takes a label back."""
    return label.model_copy(
        update={
            "event_id": derived_id("Label", STAGE, [label.event_id, "withdrawal"], ""),
            "occurred_at": datetime.fromtimestamp(now_s, UTC),
            "source_ids": (label.comparison_id, label.event_id),
            "withdraws": label.event_id,
        }
    )


def says(label: Label, verdict: Verdict) -> bool:
    """Whether the label is this verdict."""
    return (label.winner, label.criteria, label.comment or "") == (
        winner_of(verdict.choice, label.order),
        verdict.criteria,
        verdict.comment,
    )
