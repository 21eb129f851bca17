"""Working on an item: see it, save, skip, undo, and look at the checks afterwards."""

from typing import Annotated

from fastapi import APIRouter, Form, Request
from pydantic import ValidationError
from starlette.responses import JSONResponse, RedirectResponse, Response

from consumers.calibration.content import comparison_sha256
from consumers.review.drafts import Draft, draft_of, keep_draft
from consumers.review.items import find_item, load_item, standing_labels
from consumers.review.refusals import NotAllowed
from consumers.review.reservations import Held, hold, hold_next
from consumers.review.sessions import Session
from consumers.review.sides import Choice, choice_of, order_shown, shown
from consumers.review.verdict import MAX_COMMENT_CHARACTERS, Verdict
from consumers.review.web.review import Review, ReviewParts, SentByUs, SignedIn, page
from schemas.ids import unit_interval
from schemas.records import LabelRole

router = APIRouter()

Criteria = Annotated[list[str], Form(max_length=50)]
Comment = Annotated[str, Form(max_length=MAX_COMMENT_CHARACTERS)]


@router.get("/next/{queue}")
def next_item(review: ReviewParts, session: SignedIn, queue: LabelRole) -> Response:
    """Go to the next item of the queue."""
    with review.desk.engine.begin() as connection:
        held = hold_next(connection, session.person, queue, review.desk.now_s())
    where = f"/?done={queue.value}" if held is None else f"/items/{held.item.id}"
    return RedirectResponse(where, status_code=303)


@router.get("/items/{item}")
def item_page(review: ReviewParts, session: SignedIn, item: int) -> Response:
    """The two answers side by side, held for this person."""
    with review.desk.engine.begin() as connection:
        held = hold(connection, session.person, item, review.desk.now_s())
        draft = draft_of(connection, session.person.name, item)
        undoable = review.desk.undoable(connection, session.person)
        labels = _first_labels(review, held, session)
    comparison = held.item.comparison
    left, right = shown(comparison, order_shown(session.person.name, comparison.event_id))
    return page(
        review,
        "item.html",
        session,
        item=held.item,
        left=left.candidate.output,
        right=right.candidate.output,
        draft=draft,
        undoable=undoable,
        labels=labels,
        rubric=review.rubric(comparison.rubric_id),
    )


@router.post("/items/{item}/label")
def save(
    request: Request,
    review: ReviewParts,
    session: SentByUs,
    item: int,
    choice: Annotated[Choice, Form()],
    criteria: Criteria = [],  # noqa: B006  # FastAPI copies a form's default
    comment: Comment = "",
) -> Response:
    """Save the label; answered only once Kafka has it."""
    verdict = _verdict(choice, criteria, comment)
    review.desk.save(session.person, item, verdict)
    with review.reading() as connection:
        queue = load_item(connection, item).role
    return _go(request, f"/next/{queue.value}")


@router.post("/items/{item}/draft")
def keep(
    review: ReviewParts,
    session: SentByUs,
    item: int,
    choice: Annotated[Choice | None, Form()] = None,
    criteria: Criteria = [],  # noqa: B006
    comment: Comment = "",
) -> Response:
    """Keep what is filled in so far; it renews the reservation too."""
    with review.desk.engine.begin() as connection:
        now_s = review.desk.now_s()
        hold(connection, session.person, item, now_s)
        draft = Draft(choice=choice, criteria=tuple(criteria), comment=comment)
        keep_draft(connection, session.person.name, item, draft, now_s)
    return JSONResponse({"kept": True})


@router.post("/items/{item}/skip")
def skip(
    request: Request,
    review: ReviewParts,
    session: SentByUs,
    item: int,
    reason: Annotated[str, Form(max_length=500)] = "",
) -> Response:
    """Leave the item to somebody else, saying why."""
    review.desk.skip(session.person, item, reason)
    with review.reading() as connection:
        queue = load_item(connection, item).role
    return _go(request, f"/next/{queue.value}")


@router.post("/undo")
def undo(request: Request, review: ReviewParts, session: SentByUs) -> Response:
    """Take the last label back and go to its item."""
    return _go(request, f"/items/{review.desk.undo(session.person).id}")


@router.post("/items/{item}/reveal")
def reveal(request: Request, review: ReviewParts, session: SentByUs, item: int) -> Response:
    """Make the person's label final and show what the checks found."""
    review.desk.reveal(session.person, item)
    return _go(request, f"/items/{item}/result")


@router.get("/items/{item}/result")
def result(review: ReviewParts, session: SignedIn, item: int) -> Response:
    """What the checks found of a pair that the person labelled and has seen revealed."""
    with review.reading() as connection:
        if not review.desk.revealed(connection, session.person, item):
            raise NotAllowed("what the checks found is shown after you have given your label")
        found = load_item(connection, item)
        own = [one for one in standing_labels(connection, item) if _is(session, one.annotator)]
    order = order_shown(session.person.name, found.comparison.event_id)
    left, right = shown(found.comparison, order)
    return page(
        review,
        "result.html",
        session,
        item=found,
        sides=(("A", left), ("B", right)),
        own=choice_of(own[-1].winner, order) if own else None,
    )


def _first_labels(review: Review, held: Held, session: Session) -> list[tuple[Choice, str, str]]:
    """For an adjudicator: what the labellers chose, cited and wrote, in terms of the adjudicator's
    own sides, without names and in an order that gives nobody away."""
    comparison = held.item.comparison
    if held.item.role is not LabelRole.ADJUDICATION:
        return []
    with review.reading() as connection:
        first = find_item(connection, comparison_sha256(comparison), LabelRole.LABEL)
        labels = [] if first is None else standing_labels(connection, first)
    order = order_shown(session.person.name, comparison.event_id)
    mixed = sorted(labels, key=lambda one: unit_interval("label order", one.event_id))
    return [
        (choice_of(one.winner, order), ", ".join(one.criteria), one.comment or "") for one in mixed
    ]


def _verdict(choice: Choice, criteria: list[str], comment: str) -> Verdict:
    try:
        return Verdict(choice=choice, criteria=tuple(criteria), comment=comment.strip())
    except ValidationError:
        raise NotAllowed("this form does not fit the page; reload it and try again") from None


def _go(request: Request, where: str) -> Response:
    """On to another page: our script is told where, a plain form is sent there."""
    if "application/json" in request.headers.get("accept", ""):
        return JSONResponse({"next": where})
    return RedirectResponse(where, status_code=303)


def _is(session: Session, annotator: str) -> bool:
    return session.person.name == annotator
