"""What an answer other than 200 means for the event and for the worker (schemas/errors.py).

400, 413, 422            Poison            this request will always be refused
413, context_length_…    TooLong           it is one, for its length
400, unsupported_…       unsupported       DependencyDown: the model takes no such field
401, 403                 auth              DependencyDown: no request can be served
402, insufficient_quota  billing           DependencyDown
404                      model_missing     DependencyDown
429                      rate_limit        DependencyDown, with Retry-After
502, 503, 504, 529       unreachable       DependencyDown, with Retry-After
408, 409, other 5xx      Transient         may go better next time
anything else            unreachable       DependencyDown: no chat endpoint answers so
"""

import email.utils
from collections.abc import Mapping
from datetime import UTC, datetime

from pydantic import ValidationError

from infra.redaction import redact
from schemas.errors import DependencyDown, Poison, PrefstreamError, TooLong, Transient
from streams.inference.openai_wire import ErrorBody, WireError

# Error bodies can hold the whole request; a sentence is enough.
_SHOWN_CHARACTERS = 300
_READ_BYTES = 10_000
# As OpenAI calls a field that a model does not take, or takes with one value only.
_UNSUPPORTED_CODES = frozenset({"unsupported_parameter", "unsupported_value"})
# OpenAI's code, llama.cpp's type, and what vLLM names as the parameter that is wrong.
_TOO_LONG = frozenset(
    {"context_length_exceeded", "exceed_context_size_error", "input_tokens", "input_text"}
)
_QUOTA_CODES = frozenset({"insufficient_quota", "billing_hard_limit_reached"})
# "away for now", by RFC 9110 and by custom (529: overloaded)
_AWAY = frozenset({502, 503, 504, 529})
_REFUSED = frozenset({400, 413, 422})
_PASSING = frozenset({408, 409})


def error_of(
    status: int,
    body: bytes,
    headers: Mapping[str, str],
    *,
    model: str,
    url: str,
    now: datetime,
    key: str = "",
) -> PrefstreamError:
    """The error to raise for an answer; ``url`` is shown, secrets in the body are not, and of
    these the ``key`` whatever it looks like.
    """
    detail = _detail(body)
    # read further than is shown, so that no secret is cut in two before it is found
    said = redact(detail.message or body[:_READ_BYTES].decode("utf-8", "replace"), [key])
    said = said[:_SHOWN_CHARACTERS].strip() or "no explanation"
    wait_s = retry_after_s(headers.get("retry-after"), now)
    if status == 402 or {str(detail.code), str(detail.type)} & _QUOTA_CODES:
        return DependencyDown(
            f"{url} refuses model {model} for lack of credit: {said}; top the account up",
            reason="billing",
            retry_after_s=wait_s,
        )
    if status in (401, 403):
        # what the server says of a key may repeat part of it
        return DependencyDown(
            f"{url} refuses the key ({status}); set PREFSTREAM_MODEL_API_KEY to one that may use "
            f"model {model}",
            reason="auth",
        )
    if status == 404:
        return DependencyDown(
            f"{url} has no model {model} (404: {said}); correct the model's name, or "
            "PREFSTREAM_MODEL_URL where the whole address is wrong",
            reason="model_missing",
        )
    if status == 429:
        return DependencyDown(
            f"{url} limits the rate of model {model}: {said}",
            reason="rate_limit",
            retry_after_s=wait_s,
        )
    if status in _REFUSED and str(detail.code) in _UNSUPPORTED_CODES:
        return DependencyDown(
            f"{url}: model {model} refuses a field of every request: {said}; leave it out by "
            f"inference.takes ({model}: {{max_tokens_as: …, without: […]}}), or log-probabilities "
            "by judge.top_logprobs: 0",
            reason="unsupported",
        )
    if status in _REFUSED:
        named = {str(detail.code), str(detail.type), str(detail.param)}
        refusal = TooLong if status == 413 or named & _TOO_LONG else Poison
        return refusal(f"{url} refuses this request to model {model} ({status}): {said}")
    if status in _PASSING or (status >= 500 and status not in _AWAY):
        return Transient(
            f"{url} failed on a request to model {model} ({status}): {said}", retry_after_s=wait_s
        )
    return DependencyDown(
        f"{url} answers {status} ({said}); is PREFSTREAM_MODEL_URL right and the server up?",
        reason="unreachable",
        retry_after_s=wait_s,
    )


def retry_after_s(value: str | None, now: datetime) -> float | None:
    """Seconds to wait by a Retry-After header: a number or an HTTP date; None for neither."""
    if value is None:
        return None
    if value.strip().isdecimal():
        return float(value)
    try:
        moment = email.utils.parsedate_to_datetime(value)
    except ValueError:
        return None
    if moment.tzinfo is None:  # "-0000": a date without a zone is UTC here (RFC 9110, 5.6.7)
        moment = moment.replace(tzinfo=UTC)
    return max(0.0, (moment - now).total_seconds())


def _detail(body: bytes) -> WireError:
    try:
        return ErrorBody.model_validate_json(body).error
    except ValidationError:  # a proxy's page, or a server with error bodies of its own
        return WireError()
