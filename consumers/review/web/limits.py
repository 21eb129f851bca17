"""How much a request may bring: the largest form of ours, and no more."""

from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Receive, Scope, Send

# A comment of 4,000 characters that are all escaped to twelve bytes each, and the rest of its form.
MAX_BODY_BYTES = 64 * 1024


class BodyLimit:
    """ASGI middleware that refuses larger bodies before a byte of them is read, signed in or not.
    Browsers say how long a form is; a body that does not say is refused too."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and _too_large(scope):
            refusal = PlainTextResponse("this is larger than any form here\n", status_code=413)
            await refusal(scope, receive, send)
            return
        await self._app(scope, receive, send)


def _too_large(scope: Scope) -> bool:
    headers = dict(scope["headers"])
    if b"transfer-encoding" in headers:
        return True
    length = headers.get(b"content-length", b"0")
    return not length.isdigit() or int(length) > MAX_BODY_BYTES
