"""Items of the queues: a comparison that people are asked about in one role."""

import json
from dataclasses import dataclass
from typing import Literal

from sqlalchemy import and_, func, select, update
from sqlalchemy.engine import Connection

from consumers.calibration.adjudicate import adjudicate
from consumers.calibration.content import comparison_sha256, either_sha256
from consumers.review.refusals import UnknownItem
from consumers.review.tables import COMPARISONS, ITEMS, LABELS, TEXTS
from schemas.events import Comparison, Label
from schemas.records import LabelRole

State = Literal["open", "closed", "void"]
"""void: an adjudication that is no longer needed, for a label of the dispute was withdrawn."""

_EXCERPT_CHARACTERS = 160


@dataclass(frozen=True, kw_only=True)
class Item:
    """One comparison in one queue; it closes with ``wanted`` people's labels."""

    id: int
    role: LabelRole
    comparison: Comparison
    wanted: int
    state: State


def add_item(
    connection: Connection, comparison: Comparison, role: LabelRole, wanted: int, now_s: float
) -> bool:
    """Queue a comparison; False if these two texts were ever queued in this role."""
    # Of the two orders of the texts always the same.
    content = min(either_sha256(comparison))
    asked = select(ITEMS.c.id).where(ITEMS.c.role == role, ITEMS.c.content == content)
    if connection.execute(asked).first() is not None:
        return False
    id_ = comparison.event_id
    known = select(COMPARISONS.c.comparison_id).where(COMPARISONS.c.comparison_id == id_)
    if connection.execute(known).first() is None:
        connection.execute(
            COMPARISONS.insert().values(comparison_id=id_, event=comparison.model_dump_json())
        )
    if connection.execute(select(TEXTS).where(TEXTS.c.content == content)).first() is None:
        # a set, as two answers may be alike
        for sha256 in set(either_sha256(comparison)):
            connection.execute(TEXTS.insert().values(content_sha256=sha256, content=content))
    connection.execute(
        ITEMS.insert().values(
            role=role,
            comparison_id=id_,
            content=content,
            slice=comparison.slice[:128],
            excerpt=" ".join(comparison.messages[-1].content.split())[:_EXCERPT_CHARACTERS],
            wanted=wanted,
            state="open",
            created_at=now_s,
        )
    )
    return True


def load_item(connection: Connection, item: int) -> Item:
    """The item with this id; raises ``UnknownItem``."""
    row = connection.execute(
        select(ITEMS, COMPARISONS.c.event).join(COMPARISONS).where(ITEMS.c.id == item)
    ).first()
    if row is None:
        raise UnknownItem(
            f"there is no item {item} in these queues; go back to the queue and take the next one"
        )
    return Item(
        id=row.id,
        role=LabelRole(row.role),
        comparison=Comparison.model_validate_json(row.event),
        wanted=row.wanted,
        state=row.state,
    )


def find_item(connection: Connection, content_sha256: str, role: LabelRole) -> int | None:
    """The item that asks about the texts of this hash, on whichever sides, in this role."""
    return connection.execute(
        select(ITEMS.c.id)
        .join(TEXTS, TEXTS.c.content == ITEMS.c.content)
        .where(TEXTS.c.content_sha256 == content_sha256, ITEMS.c.role == role)
    ).scalar()


def standing_labels(connection: Connection, item: int) -> list[Label]:
    """The labels of an item that Kafka has and nobody took back, in the order they came."""
    rows = connection.execute(
        select(LABELS.c.event)
        .where(LABELS.c.item == item, LABELS.c.state == "acknowledged")
        .order_by(LABELS.c.at, LABELS.c.event_id)
    )
    return [Label.model_validate(json.loads(row.event)) for row in rows]


def settle(connection: Connection, item: Item, now_s: float) -> None:
    """Open or close the item by the labels that stand, and its adjudication with it."""
    labels = standing_labels(connection, item.id)
    complete = len(labels) >= item.wanted
    _set_state(connection, item.id, "closed" if complete else "open")
    if item.role is not LabelRole.LABEL:
        return
    disputed = complete and adjudicate(labels).state == "disputed"
    content = comparison_sha256(item.comparison)
    ruling = find_item(connection, content, LabelRole.ADJUDICATION)
    if ruling is None:
        if disputed:
            add_item(connection, item.comparison, LabelRole.ADJUDICATION, 1, now_s)
    elif not ruled(connection, item.comparison.event_id):
        _set_state(connection, ruling, "open" if disputed else "void")


def ruled(connection: Connection, comparison_id: str) -> bool:
    """Whether an adjudicator decided on this comparison."""
    found = connection.execute(
        select(func.count())
        .select_from(LABELS.join(ITEMS, and_(ITEMS.c.id == LABELS.c.item)))
        .where(
            ITEMS.c.comparison_id == comparison_id,
            ITEMS.c.role == LabelRole.ADJUDICATION,
            LABELS.c.state == "acknowledged",
        )
    ).scalar_one()
    return found > 0


def _set_state(connection: Connection, item: int, state: State) -> None:
    connection.execute(update(ITEMS).where(ITEMS.c.id == item).values(state=state))
