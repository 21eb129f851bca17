"""Posting JSON to an address of the user's: bounded retries, and never a reason to stop working."""

import logging
import random
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from http import HTTPStatus
from http.client import HTTPException

from pydantic import BaseModel, SecretStr

_log = logging.getLogger("prefstream.webhook")

_ATTEMPTS = 4
_TIMEOUT_S = 5.0
# Doubled at each retry: with the time-outs at most about 25 s in all.
_FIRST_WAIT_S = 0.5
# Asking again cannot help where the request itself is refused; these two ask for patience.
_PATIENT = frozenset({HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.TOO_MANY_REQUESTS})


def post(
    url: SecretStr | None, body: BaseModel, *, sleep: Callable[[float], None] = time.sleep
) -> bool:
    """Send the body by POST; whether the other side took it. No address: nothing is sent.

    A failure is logged, never raised, and never with the address, which may hold a key.
    """
    if url is None:
        return False
    data = body.model_dump_json().encode()
    reason = ""
    for attempt in range(_ATTEMPTS):
        if attempt:
            sleep(_FIRST_WAIT_S * 2 ** (attempt - 1) * random.uniform(1, 1.5))
        try:
            request = urllib.request.Request(  # noqa: S310 - Settings take http(s) only
                url.get_secret_value(),
                data=data,
                headers={"Content-Type": "application/json", "User-Agent": "prefstream"},
                method="POST",
            )
            with urllib.request.urlopen(request, timeout=_TIMEOUT_S):  # noqa: S310
                return True
        except urllib.error.HTTPError as error:
            reason = f"HTTP {error.code}"
            error.close()
            if error.code < HTTPStatus.INTERNAL_SERVER_ERROR and error.code not in _PATIENT:
                break
        except (OSError, ValueError, HTTPException) as error:
            # Of a bad address the text of the error may quote it.
            reason = type(getattr(error, "reason", None) or error).__name__
    _log.warning("the webhook did not take a message", extra={"reason": reason})
    return False
