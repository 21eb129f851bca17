"""How far the queues are, and how far a person agrees with the others, after the fact."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Row, and_, func, select
from sqlalchemy.engine import Connection

from consumers.calibration.agreement import Kappa, cohen_kappa, confusion
from consumers.review.desk import UNDO_S
from consumers.review.people import Person
from consumers.review.tables import ITEMS, LABELS, RESERVATIONS, SKIPS
from schemas.records import LabelRole

PAGE_ITEMS = 50
_DAY_S = 24 * 3600


@dataclass(frozen=True, kw_only=True)
class QueueProgress:
    """Items of one queue, and the person's own labels in it."""

    queue: LabelRole
    open: int
    closed: int
    mine: int
    mine_today: int


@dataclass(frozen=True, kw_only=True)
class ListedItem:
    """An item as the lead's list shows it; ``held`` says by whom, ``skips`` why not."""

    id: int
    comparison_id: str
    excerpt: str
    slice: str
    state: str
    labels: int
    wanted: int
    held: tuple[str, ...]
    skips: tuple[str, ...]


def queue_progress(
    connection: Connection, person: Person, queue: LabelRole, now_s: float
) -> QueueProgress:
    """The counts of one queue."""
    counted = select(ITEMS.c.state, func.count()).where(ITEMS.c.role == queue)
    states = {row[0]: row[1] for row in connection.execute(counted.group_by(ITEMS.c.state))}
    mine = (
        select(func.count())
        .select_from(LABELS.join(ITEMS, ITEMS.c.id == LABELS.c.item))
        .where(
            LABELS.c.person == person.name,
            LABELS.c.state == "acknowledged",
            ITEMS.c.role == queue,
        )
    )
    return QueueProgress(
        queue=queue,
        open=states.get("open", 0),
        closed=states.get("closed", 0),
        mine=connection.execute(mine).scalar_one(),
        mine_today=connection.execute(mine.where(LABELS.c.at > now_s - _DAY_S)).scalar_one(),
    )


def own_agreement(connection: Connection, person: Person, now_s: float) -> Kappa:
    """The person's first labels against every other person's on the same closed items.

    Only labels that can no longer be undone count, so that nobody changes a label for it.
    """
    own, other = LABELS.alias(), LABELS.alias()
    rows = connection.execute(
        select(own.c.winner, other.c.winner)
        .select_from(
            own.join(ITEMS, ITEMS.c.id == own.c.item).join(
                other, and_(other.c.item == own.c.item, other.c.person != own.c.person)
            )
        )
        .where(
            own.c.person == person.name,
            ITEMS.c.role == LabelRole.LABEL,
            ITEMS.c.state == "closed",
            own.c.state == "acknowledged",
            other.c.state == "acknowledged",
            own.c.at <= now_s - UNDO_S,
        )
    )
    return cohen_kappa(confusion((row[0], row[1]) for row in rows))


def listed_items(
    connection: Connection, queue: LabelRole, state: str, page: int, now_s: float
) -> list[ListedItem]:
    """One page of a queue, oldest first; pages count from 1."""
    rows = connection.execute(
        select(ITEMS)
        .where(ITEMS.c.role == queue, ITEMS.c.state == state)
        .order_by(ITEMS.c.id)
        .limit(PAGE_ITEMS)
        .offset((page - 1) * PAGE_ITEMS)
    ).all()
    ids = [row.id for row in rows]
    labels = connection.execute(
        select(LABELS.c.item).where(LABELS.c.item.in_(ids), LABELS.c.state == "acknowledged")
    ).all()
    held = connection.execute(
        select(RESERVATIONS.c.item, RESERVATIONS.c.person).where(
            RESERVATIONS.c.item.in_(ids), RESERVATIONS.c.expires_at > now_s
        )
    ).all()
    skips = connection.execute(
        select(SKIPS.c.item, SKIPS.c.person, SKIPS.c.reason).where(SKIPS.c.item.in_(ids))
    ).all()
    return [
        ListedItem(
            id=row.id,
            comparison_id=row.comparison_id,
            excerpt=row.excerpt,
            slice=row.slice,
            state=row.state,
            labels=sum(label.item == row.id for label in labels),
            wanted=row.wanted,
            held=tuple(one.person for one in held if one.item == row.id),
            skips=_skips(skips, row.id),
        )
        for row in rows
    ]


def _skips(rows: Sequence[Row[int, str, str]], item: int) -> tuple[str, ...]:
    return tuple(f"{row.person}: {row.reason}" for row in rows if row.item == item)
