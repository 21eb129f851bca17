"""Drafts: what a person has filled in and not saved yet."""

from sqlalchemy import delete, select
from sqlalchemy.engine import Connection

from consumers.review.sides import Choice
from consumers.review.tables import DRAFTS
from consumers.review.verdict import MAX_COMMENT_CHARACTERS
from schemas.records import Record


class Draft(Record):
    """A form that may be incomplete; ``choice`` None means none yet."""

    choice: Choice | None = None
    criteria: tuple[str, ...] = ()
    comment: str = ""


def keep_draft(connection: Connection, person: str, item: int, draft: Draft, now_s: float) -> None:
    """Put the draft in the place of an earlier one."""
    drop_draft(connection, person, item)
    connection.execute(
        DRAFTS.insert().values(
            item=item,
            person=person,
            choice=draft.choice or "",
            criteria=list(draft.criteria[:50]),
            comment=draft.comment[:MAX_COMMENT_CHARACTERS],
            updated_at=now_s,
        )
    )


def draft_of(connection: Connection, person: str, item: int) -> Draft:
    """The draft, an empty one where there is none."""
    row = connection.execute(
        select(DRAFTS).where(DRAFTS.c.item == item, DRAFTS.c.person == person)
    ).first()
    if row is None:
        return Draft()
    choice = Choice(row.choice) if row.choice else None
    return Draft(choice=choice, criteria=tuple(row.criteria), comment=row.comment)


def drop_draft(connection: Connection, person: str, item: int) -> None:
    """Forget the draft."""
    connection.execute(delete(DRAFTS).where(DRAFTS.c.item == item, DRAFTS.c.person == person))
