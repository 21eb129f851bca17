"""Who may label: people with a role and a token of their own."""

import re
import secrets
from dataclasses import dataclass
from enum import StrEnum

from sqlalchemy import select, update
from sqlalchemy.engine import Connection
from sqlalchemy.exc import IntegrityError

from consumers.review.tables import PEOPLE, SESSIONS
from schemas.errors import ConfigError
from schemas.ids import text_sha256
from schemas.records import LabelRole

_NAME = re.compile(r"[\w.@-]{1,64}")
# 256 random bits cannot be guessed, so a plain hash of them is enough: no salt, no slow hash.
_TOKEN_BYTES = 32


class PersonRole(StrEnum):
    """What a person may do; each role may do what the one before may."""

    ANNOTATOR = "annotator"
    ADJUDICATOR = "adjudicator"
    LEAD = "lead"


QUEUES: dict[PersonRole, tuple[LabelRole, ...]] = {
    PersonRole.ANNOTATOR: (LabelRole.LABEL,),
    PersonRole.ADJUDICATOR: (LabelRole.LABEL, LabelRole.ADJUDICATION, LabelRole.AUDIT),
    PersonRole.LEAD: (LabelRole.LABEL, LabelRole.ADJUDICATION, LabelRole.AUDIT),
}


@dataclass(frozen=True, kw_only=True)
class Person:
    """Someone who may sign in, unless no longer ``active``."""

    name: str
    role: PersonRole
    active: bool = True

    def may(self, queue: LabelRole) -> bool:
        """Whether the person works on this queue."""
        return queue in QUEUES[self.role]


def add_person(connection: Connection, name: str, role: PersonRole, now_s: float) -> str:
    """Add someone and return their token, which is kept nowhere else.

    Raises ``ConfigError`` for a name that is taken or has other signs than letters, digits and
    ``. _ @ -``.
    """
    if not _NAME.fullmatch(name):
        raise ConfigError(
            f"{name[:80]!r} cannot be a name here; use 1 to 64 letters, digits and . _ @ -"
        )
    token = secrets.token_urlsafe(_TOKEN_BYTES)
    row = {"name": name, "role": role, "token_sha256": text_sha256(token)}
    try:
        connection.execute(PEOPLE.insert().values(**row, active=True, created_at=now_s))
    except IntegrityError:
        raise ConfigError(
            f"there is a person {name} already; give a new token by `prefstream review user renew`"
        ) from None
    return token


def anybody(connection: Connection) -> bool:
    """Whether there is anyone who may sign in."""
    return connection.execute(select(PEOPLE.c.name).where(PEOPLE.c.active)).first() is not None


def renew_token(connection: Connection, name: str) -> str:
    """A new token for someone, who may sign in (again); the old one and all sessions end."""
    token = secrets.token_urlsafe(_TOKEN_BYTES)
    _change(connection, name, {"token_sha256": text_sha256(token), "active": True})
    return token


def revoke(connection: Connection, name: str) -> None:
    """Let someone in no more; what they labelled stands."""
    _change(connection, name, {"active": False})


def people(connection: Connection) -> list[Person]:
    """Everyone, by name."""
    rows = connection.execute(select(PEOPLE).order_by(PEOPLE.c.name))
    return [_person(row.name, row.role, row.active) for row in rows]


def person_of_token(connection: Connection, token: str) -> Person | None:
    """Whose token this is; None for a token that is nobody's (any more)."""
    row = connection.execute(
        select(PEOPLE).where(PEOPLE.c.token_sha256 == text_sha256(token), PEOPLE.c.active)
    ).first()
    return None if row is None else _person(row.name, row.role, row.active)


def _change(connection: Connection, name: str, values: dict[str, str | bool]) -> None:
    changed = connection.execute(update(PEOPLE).where(PEOPLE.c.name == name).values(**values))
    if changed.rowcount == 0:
        raise ConfigError(f"there is no person {name}; see `prefstream review user list`")
    connection.execute(SESSIONS.delete().where(SESSIONS.c.person == name))


def _person(name: str, role: str, active: bool) -> Person:
    return Person(name=name, role=PersonRole(role), active=active)
