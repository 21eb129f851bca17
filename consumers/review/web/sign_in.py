"""Signing in by a personal token, and out."""

from typing import Annotated

from fastapi import APIRouter, Form, Request
from starlette.responses import RedirectResponse, Response

from consumers.review.sessions import SESSION_S, sign_in, sign_out
from consumers.review.web.review import COOKIE, ReviewParts, SentByUs, page

router = APIRouter()


@router.get("/sign-in")
def sign_in_page(review: ReviewParts) -> Response:
    """The form for a token."""
    return page(review, "sign_in.html", failed=False)


@router.post("/sign-in")
def take_token(
    request: Request, review: ReviewParts, token: Annotated[str, Form(max_length=200)]
) -> Response:
    """Start a session. A form that another site sent is not taken: it could sign somebody in as
    somebody else."""
    ours = request.headers.get("sec-fetch-site", "same-origin") in ("same-origin", "none")
    cookie = None
    if ours:
        with review.desk.engine.begin() as connection:
            cookie = sign_in(connection, token, review.desk.now_s())
    if cookie is None:
        return page(review, "sign_in.html", status=401, failed=True)
    answer = RedirectResponse("/", status_code=303)
    answer.set_cookie(
        COOKIE,
        cookie,
        max_age=SESSION_S,
        httponly=True,
        samesite="lax",
        secure=request.url.scheme == "https",
    )
    return answer


@router.post("/sign-out")
def leave(request: Request, review: ReviewParts, _: SentByUs) -> Response:
    """End the session."""
    with review.desk.engine.begin() as connection:
        sign_out(connection, request.cookies.get(COOKIE, ""))
    answer = RedirectResponse("/sign-in", status_code=303)
    answer.delete_cookie(COOKIE)
    return answer
