"""What an answer other than 200 means."""

import json
from datetime import UTC, datetime

import pytest

from schemas.errors import DependencyDown, Poison, PrefstreamError, TooLong, Transient
from streams.inference.openai_errors import error_of, retry_after_s

NOW = datetime(2026, 11, 1, 12, tzinfo=UTC)
QUOTA = b'{"error": {"message": "You exceeded your quota", "code": "insufficient_quota"}}'


def error(status: int, body: bytes = b"", headers: dict[str, str] | None = None) -> PrefstreamError:
    return error_of(status, body, headers or {}, model="m", url="http://host/v1", now=NOW)


@pytest.mark.parametrize(
    ("status", "body", "reason"),
    [
        (401, b"", "auth"),
        (403, b"", "auth"),
        (402, b"", "billing"),
        (429, QUOTA, "billing"),
        (404, b"", "model_missing"),
        (429, b"", "rate_limit"),
        (502, b"<html>bad gateway</html>", "unreachable"),
        (503, b"", "unreachable"),
        (301, b"", "unreachable"),
        (405, b"", "unreachable"),
    ],
)
def test_a_dependency_that_serves_nobody(status: int, body: bytes, reason: str) -> None:
    found = error(status, body)
    assert isinstance(found, DependencyDown)
    assert found.reason == reason
    assert "http://host/v1" in str(found)


@pytest.mark.parametrize("status", [400, 413, 422])
def test_a_refused_request_is_poison_with_what_the_server_said(status: int) -> None:
    found = error(status, b'{"error": {"message": "prompt is too long"}}')
    assert isinstance(found, Poison)
    assert "prompt is too long" in str(found)


@pytest.mark.parametrize(
    ("status", "said"),
    [
        (413, {}),
        (400, {"code": "context_length_exceeded"}),
        (400, {"code": 400, "type": "BadRequestError", "param": "input_tokens"}),
        (400, {"code": 400, "type": "exceed_context_size_error"}),
    ],
)
def test_a_request_beyond_the_context_is_known_as_such(
    status: int, said: dict[str, str | int]
) -> None:
    body = json.dumps({"error": {"message": "maximum context length", **said}}).encode()
    assert isinstance(error(status, body), TooLong)
    assert not isinstance(error(400), TooLong)


@pytest.mark.parametrize("code", ["unsupported_parameter", "unsupported_value"])
def test_a_field_that_the_model_never_takes_is_no_fault_of_the_event(code: str) -> None:
    body = {"error": {"message": "'max_tokens' is not supported", "code": code}}
    found = error(400, json.dumps(body).encode())
    assert isinstance(found, DependencyDown)
    assert found.reason == "unsupported"
    assert "'max_tokens' is not supported" in str(found)
    assert "inference.takes" in str(found)


@pytest.mark.parametrize("status", [408, 409, 500, 520])
def test_a_failure_that_may_pass_is_transient(status: int) -> None:
    found = error(status)
    assert isinstance(found, Transient)
    assert not isinstance(found, DependencyDown)


def test_retry_after_goes_with_the_error() -> None:
    limited = error(429, headers={"retry-after": "7"})
    assert isinstance(limited, DependencyDown)
    assert limited.retry_after_s == 7.0


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        (None, None),
        ("3", 3.0),
        ("Sun, 01 Nov 2026 12:00:30 GMT", 30.0),
        ("Sun, 01 Nov 2026 11:00:00 GMT", 0.0),
        ("Sun, 01 Nov 2026 12:00:30 -0000", 30.0),
        ("soon", None),
        ("-3", None),
        ("", None),
    ],
)
def test_retry_after_is_seconds_or_a_date(value: str | None, seconds: float | None) -> None:
    assert retry_after_s(value, NOW) == seconds


def test_no_secret_and_no_whole_request_is_repeated() -> None:
    body = b'{"error": {"message": "Incorrect API key provided: sk-abcdefgh12345678"}}'
    for status in (400, 401, 429, 500):
        assert "sk-abcdefgh" not in str(error(status, body))
    assert len(str(error(500, b"x" * 100_000))) < 600


@pytest.mark.parametrize(
    "body",
    [
        b'{"error": {"message": "no such key: plain word key"}}',
        b"no such key: plain word key",
        b"." * 295 + b"plain word key",
    ],
)
def test_the_key_that_was_sent_is_not_repeated_whatever_it_looks_like(body: bytes) -> None:
    for status in (400, 404, 429, 500, 503):
        found = error_of(
            status, body, {}, model="m", url="http://host/v1", now=NOW, key="plain word key"
        )
        assert "plain" not in str(found)
