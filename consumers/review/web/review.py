"""What every page stands on."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

from fastapi import Depends, Form, Header, Request
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from sqlalchemy.engine import Connection
from starlette.responses import HTMLResponse

from consumers.review.answer_text import blocks, difference
from consumers.review.desk import Desk
from consumers.review.evidence import Evidence, Notice, Prompts
from consumers.review.people import QUEUES, PersonRole
from consumers.review.refusals import NotAllowed
from consumers.review.rubrics import FindRubric
from consumers.review.sessions import Session, session_of

COOKIE = "prefstream_review"
_FOLDER = Path(__file__).parent


@dataclass(frozen=True, kw_only=True)
class Review:
    """The parts behind the pages. ``kappa_wanted`` is the project's gate threshold, which the
    health page draws."""

    desk: Desk
    rubric: FindRubric
    evidence: Evidence
    prompts: Prompts
    notice: Notice
    kappa_wanted: float

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """A connection that changes nothing."""
        with self.desk.engine.connect() as connection:
            yield connection


class SignInNeeded(Exception):
    """Nobody is signed in (any more); not shown, but answered with the sign-in page."""


def review_of(request: Request) -> Review:
    """The application's parts."""
    found: Review = request.app.state.review
    return found


def signed_in(request: Request, review: "ReviewParts") -> Session:
    """Who asks; raises ``SignInNeeded``."""
    cookie = request.cookies.get(COOKIE, "")
    with review.reading() as connection:
        session = session_of(connection, cookie, review.desk.now_s())
    if session is None:
        raise SignInNeeded
    return session


def sent_by_our_form(
    session: "SignedIn",
    csrf: Annotated[str, Form()] = "",
    x_csrf_token: Annotated[str, Header()] = "",
) -> Session:
    """Who sent a form of ours; raises ``NotAllowed`` for one that another site made."""
    if not session.sent_by_us(csrf or x_csrf_token):
        raise NotAllowed("this form is not from this session; reload the page and send it again")
    return session


ReviewParts = Annotated[Review, Depends(review_of)]
SignedIn = Annotated[Session, Depends(signed_in)]
SentByUs = Annotated[Session, Depends(sent_by_our_form)]


def lead(session: SignedIn) -> Session:
    """A lead; raises ``NotAllowed``: these pages name models and people."""
    if session.person.role is not PersonRole.LEAD:
        raise NotAllowed("this page names models and people, so it is for leads only")
    return session


Lead = Annotated[Session, Depends(lead)]


def page(
    review: Review,
    template: str,
    session: Session | None = None,
    status: Literal[200, 401, 403, 404, 409, 422, 503] = 200,
    **values: object,
) -> HTMLResponse:
    """A rendered page. Everything in ``values`` is escaped, save what is already markup."""
    text = _TEMPLATES.get_template(template).render(
        session=session,
        queues=QUEUES[session.person.role] if session else (),
        notice=review.notice(),
        **values,
    )
    return HTMLResponse(text, status_code=status)


def _templates() -> Environment:
    made = Environment(
        loader=FileSystemLoader(_FOLDER / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters["blocks"] = blocks
    made.globals["difference"] = difference
    return made


_TEMPLATES = _templates()
STATIC = _FOLDER / "static"
