"""Where a person starts: their queues, how far they are, and the lead's list of items."""

from typing import Annotated, Literal

from fastapi import APIRouter, Query
from starlette.responses import Response

from consumers.review.people import QUEUES, people
from consumers.review.progress import PAGE_ITEMS, listed_items, own_agreement, queue_progress
from consumers.review.web.review import Lead, ReviewParts, SignedIn, page
from schemas.records import LabelRole

router = APIRouter()


@router.get("/")
def home(review: ReviewParts, session: SignedIn, done: str = "") -> Response:
    """The person's queues; ``done`` names one that has nothing left for them."""
    now_s = review.desk.now_s()
    with review.reading() as connection:
        return page(
            review,
            "home.html",
            session,
            progress=[
                queue_progress(connection, session.person, queue, now_s)
                for queue in QUEUES[session.person.role]
            ],
            agreement=own_agreement(connection, session.person, now_s),
            undoable=review.desk.undoable(connection, session.person),
            done=done if done in {role.value for role in LabelRole} else "",
        )


@router.get("/items")
def items(
    review: ReviewParts,
    session: Lead,
    queue: LabelRole = LabelRole.LABEL,
    state: Literal["open", "closed"] = "open",
    number: Annotated[int, Query(alias="page", ge=1, le=1_000_000)] = 1,
) -> Response:
    """The lead's list of what is in a queue, who holds it and why it was skipped."""
    now_s = review.desk.now_s()
    with review.reading() as connection:
        progress = queue_progress(connection, session.person, queue, now_s)
        return page(
            review,
            "items.html",
            session,
            queue=queue,
            state=state,
            number=number,
            pages=max(1, -(-(progress.open if state == "open" else progress.closed) // PAGE_ITEMS)),
            items=listed_items(connection, queue, state, number, now_s),
            people=people(connection),
        )
