"""Who is working on what: a place of an item held for one person for a while.

An item has as many places as people are wanted for it. A label takes one for good, a reservation
until it expires; then somebody else may have the place, and whoever comes first keeps it.
"""

from dataclasses import dataclass

from sqlalchemy import (
    ColumnElement,
    Exists,
    and_,
    delete,
    exists,
    func,
    insert,
    select,
    union,
    update,
)
from sqlalchemy.engine import Connection

from consumers.review.items import Item, load_item
from consumers.review.people import Person
from consumers.review.refusals import NotAllowed, TooLate
from consumers.review.tables import ITEMS, LABELS, RESERVATIONS, SKIPS, take_turn
from schemas.records import LabelRole

# Longer than anyone needs for one comparison, short enough that an item left open over lunch is
# done by somebody else.
HOLD_S = 15 * 60


@dataclass(frozen=True, kw_only=True)
class Held:
    """An item held for a person, who has had it in view since ``shown_at_s``."""

    item: Item
    shown_at_s: float


def hold_next(
    connection: Connection, person: Person, queue: LabelRole, now_s: float
) -> Held | None:
    """The next item of the queue for this person, held for them; None where nothing is left.

    What they hold already comes first, then the oldest item with a free place that they neither
    labelled nor skipped. Nobody adjudicates or audits what they labelled themselves.
    """
    if not person.may(queue):
        raise NotAllowed(f"the {queue.value.lower()} queue is not for the role {person.role}")
    take_turn(connection)
    able = [
        ITEMS.c.role == queue,
        ITEMS.c.state == "open",
        ~_labelled(person.name),
        ~exists().where(SKIPS.c.item == ITEMS.c.id, SKIPS.c.person == person.name),
        _taken(person.name, now_s) < ITEMS.c.wanted,
    ]
    if queue is not LabelRole.LABEL:
        able.append(~_labelled_before(person.name))
    held = (
        select(ITEMS.c.id)
        .select_from(RESERVATIONS.join(ITEMS, ITEMS.c.id == RESERVATIONS.c.item))
        .where(RESERVATIONS.c.person == person.name, RESERVATIONS.c.expires_at > now_s, *able)
        .order_by(RESERVATIONS.c.shown_at)
    )
    for choice in (held, select(ITEMS.c.id).where(*able).order_by(ITEMS.c.id)):
        if (found := connection.execute(choice.limit(1)).scalar()) is not None:
            return _reserve(connection, person, load_item(connection, found), now_s)
    return None


def hold(connection: Connection, person: Person, item: int, now_s: float) -> Held:
    """This item, held for this person (again). Raises ``Refused`` with the reason."""
    take_turn(connection)
    found = load_item(connection, item)
    if not person.may(found.role):
        raise NotAllowed(f"this item is not for the role {person.role}; go back to your queue")
    one = select(ITEMS.c.id).where(ITEMS.c.id == item)
    if connection.execute(one.where(_labelled(person.name))).first():
        raise TooLate("you labelled this item already, and one person counts once; take the next")
    if (
        found.role is not LabelRole.LABEL
        and connection.execute(one.where(_labelled_before(person.name))).first()
    ):
        raise NotAllowed("you labelled this pair yourself, so somebody else has to decide it")
    if found.state != "open":
        raise TooLate("this item is closed: enough people labelled it; take the next one")
    if connection.execute(one.where(_taken(person.name, now_s) >= ITEMS.c.wanted)).first():
        raise TooLate(
            "your reservation of this item ran out and somebody else has taken it; nothing was "
            "sent, your draft is kept, and the next item waits"
        )
    return _reserve(connection, person, found, now_s)


def release(connection: Connection, person: Person, item: int) -> None:
    """Give the place back."""
    connection.execute(
        delete(RESERVATIONS).where(
            RESERVATIONS.c.item == item, RESERVATIONS.c.person == person.name
        )
    )


def _reserve(connection: Connection, person: Person, item: Item, now_s: float) -> Held:
    own = and_(RESERVATIONS.c.item == item.id, RESERVATIONS.c.person == person.name)
    shown_at_s = connection.execute(select(RESERVATIONS.c.shown_at).where(own)).scalar()
    if shown_at_s is None:
        shown_at_s = now_s
        connection.execute(
            insert(RESERVATIONS).values(
                item=item.id, person=person.name, shown_at=now_s, expires_at=now_s + HOLD_S
            )
        )
    else:
        connection.execute(update(RESERVATIONS).where(own).values(expires_at=now_s + HOLD_S))
    return Held(item=item, shown_at_s=shown_at_s)


def _labelled(person: str) -> Exists:
    return exists().where(
        LABELS.c.item == ITEMS.c.id, LABELS.c.person == person, LABELS.c.state == "acknowledged"
    )


def _labelled_before(person: str) -> Exists:
    """Whether the person labelled the same comparison as one of its first labellers."""
    first = ITEMS.alias()
    return (
        exists()
        .where(
            first.c.comparison_id == ITEMS.c.comparison_id,
            first.c.role == LabelRole.LABEL,
            LABELS.c.item == first.c.id,
            LABELS.c.person == person,
            LABELS.c.state == "acknowledged",
        )
        .correlate(ITEMS)
    )


def _taken(person: str, now_s: float) -> ColumnElement[int]:
    """How many other people have a place. One may have both: a label that came back out of the
    topic after the server was killed leaves their reservation.
    """
    labelled = select(LABELS.c.person).where(
        LABELS.c.item == ITEMS.c.id,
        LABELS.c.person != person,
        LABELS.c.state == "acknowledged",
    )
    held = select(RESERVATIONS.c.person).where(
        RESERVATIONS.c.item == ITEMS.c.id,
        RESERVATIONS.c.person != person,
        RESERVATIONS.c.expires_at > now_s,
    )
    people = union(labelled.correlate(ITEMS), held.correlate(ITEMS)).subquery()
    return select(func.count()).select_from(people).scalar_subquery()
