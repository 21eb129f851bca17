"""The application: its routes, and how refusals and outages are shown."""

from typing import Literal

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.staticfiles import StaticFiles

from consumers.review.refusals import NotAllowed, Refused, TooLate, UnknownItem
from consumers.review.sessions import Session
from consumers.review.web import home, judges, sign_in, work
from consumers.review.web.headers import SecurityHeaders
from consumers.review.web.limits import BodyLimit
from consumers.review.web.review import (
    STATIC,
    Review,
    SignInNeeded,
    page,
    review_of,
    signed_in,
)
from schemas.errors import ConfigError, DependencyDown, PrefstreamError

Status = Literal[403, 404, 409, 422, 503]


def review_app(review: Review) -> FastAPI:
    """The pages over these parts."""
    app = FastAPI(docs_url=None, redoc_url=None, openapi_url=None)
    app.state.review = review
    app.add_middleware(BodyLimit)
    app.add_middleware(SecurityHeaders)
    app.mount("/static", StaticFiles(directory=STATIC), name="static")
    for router in (sign_in.router, home.router, work.router, judges.router):
        app.include_router(router)
    app.add_exception_handler(SignInNeeded, _to_sign_in)
    app.add_exception_handler(Refused, _refused)
    app.add_exception_handler(DependencyDown, _refused)
    app.add_exception_handler(ConfigError, _refused)
    app.add_exception_handler(RequestValidationError, _not_a_form)
    app.add_exception_handler(HTTPException, _no_such_page)
    return app


def _to_sign_in(request: Request, _: Exception) -> Response:
    if _wants_json(request):
        said = "you are signed out; sign in again in another tab, then save once more"
        return JSONResponse({"message": said}, status_code=401)
    return RedirectResponse("/sign-in", status_code=303)


def _refused(request: Request, error: Exception) -> Response:
    return _say(request, _status(error), str(error))


def _not_a_form(request: Request, _: Exception) -> Response:
    return _say(
        request, 422, "the form was not filled in as this page makes it; choose one of the verdicts"
    )


def _no_such_page(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    if error.status_code == 404:
        return _say(request, 404, "there is no such page; go back to your queues")
    return _say(request, 422, f"{error.detail}; go back to your queues")


def _status(error: Exception) -> Status:
    match error:
        case UnknownItem():
            return 404
        case NotAllowed():
            return 403
        case TooLate():
            return 409
        case PrefstreamError():
            return 503
    raise error


def _say(request: Request, status: Status, said: str) -> Response:
    """The sentence: to our script as JSON, to a person as a page."""
    if _wants_json(request):
        return JSONResponse({"message": said}, status_code=status)
    review = review_of(request)
    session: Session | None
    try:
        session = signed_in(request, review)
    except SignInNeeded:
        session = None
    return page(review, "refused.html", session, status, said=said)


def _wants_json(request: Request) -> bool:
    return "application/json" in request.headers.get("accept", "")
