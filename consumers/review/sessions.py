"""Sessions: a cookie that says who is there, and a code that proves a form is ours."""

import hmac
import secrets
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.engine import Connection

from consumers.review.people import Person, PersonRole, person_of_token
from consumers.review.tables import PEOPLE, SESSIONS
from schemas.ids import text_sha256

# A working day; then the token is asked for again.
SESSION_S = 12 * 3600
_COOKIE_BYTES = 32


@dataclass(frozen=True, kw_only=True)
class Session:
    """Someone who is signed in; ``csrf`` stands in every form of theirs."""

    person: Person
    csrf: str

    def sent_by_us(self, code: str) -> bool:
        """Whether a form that came with this code was made for this session."""
        return hmac.compare_digest(code.encode(), self.csrf.encode())


def sign_in(connection: Connection, token: str, now_s: float) -> str | None:
    """The cookie of a new session; None for a token that is nobody's."""
    person = person_of_token(connection, token.strip())
    if person is None:
        return None
    connection.execute(SESSIONS.delete().where(SESSIONS.c.expires_at <= now_s))
    cookie = secrets.token_urlsafe(_COOKIE_BYTES)
    connection.execute(
        SESSIONS.insert().values(
            cookie_sha256=text_sha256(cookie),
            person=person.name,
            csrf=secrets.token_urlsafe(_COOKIE_BYTES),
            expires_at=now_s + SESSION_S,
        )
    )
    return cookie


def session_of(connection: Connection, cookie: str, now_s: float) -> Session | None:
    """The session of a cookie; None where it ended or never was."""
    row = connection.execute(
        select(SESSIONS.c.csrf, PEOPLE.c.name, PEOPLE.c.role)
        .join(PEOPLE, PEOPLE.c.name == SESSIONS.c.person)
        .where(
            SESSIONS.c.cookie_sha256 == text_sha256(cookie),
            SESSIONS.c.expires_at > now_s,
            PEOPLE.c.active,
        )
    ).first()
    if row is None:
        return None
    return Session(person=Person(name=row.name, role=PersonRole(row.role)), csrf=row.csrf)


def sign_out(connection: Connection, cookie: str) -> None:
    """End the session."""
    connection.execute(SESSIONS.delete().where(SESSIONS.c.cookie_sha256 == text_sha256(cookie)))
