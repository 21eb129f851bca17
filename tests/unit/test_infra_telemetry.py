"""Logs: one line an event, no secret, no flood."""

import io
import logging

import pytest
from hypothesis import given
from hypothesis import strategies as st

from infra.redaction import redact
from infra.telemetry import FloodLimit, OneLine
from schemas.errors import ConfigError


def _record(
    name: str = "prefstream.judge", message: str = "m", **extra: object
) -> logging.LogRecord:
    record = logging.LogRecord(name, logging.WARNING, __file__, 1, message, (), None)
    vars(record).update(extra)
    return record


def test_line_holds_level_logger_message_and_fields() -> None:
    line = OneLine().format(_record(message="intake paused", reason="rate_limit", wait_s=3))
    assert line.endswith('WARNING prefstream.judge "intake paused" reason=rate_limit wait_s=3')


@given(st.text(), st.text())
def test_always_one_line(message: str, field: str) -> None:
    record = logging.LogRecord("x", logging.INFO, "f", 1, "%s", (message,), None)
    vars(record)["field"] = field
    assert len(OneLine().format(record).splitlines()) == 1


def _raised(error: Exception) -> logging.LogRecord:
    record = _record()
    try:
        raise error
    except Exception as caught:
        record.exc_info = (type(caught), caught, caught.__traceback__)
    return record


def test_error_of_ours_is_its_sentence() -> None:
    line = OneLine().format(_raised(ConfigError("no such file; name another")))
    assert 'error=ConfigError detail="no such file; name another"' in line
    assert "Traceback" not in line


def test_any_other_error_keeps_its_stack_trace_on_the_line() -> None:
    line = OneLine().format(_raised(ValueError("v")))
    assert "Traceback" in line
    assert "\n" not in line


@pytest.mark.parametrize(
    "text",
    [
        "http://user:hunter22@clickhouse:8123/db",
        "Authorization: Bearer hunter22.abcdef",
        "api_key=hunter22",
        "{'password': 'hunter22'}",
        '{"MODEL_API_KEY": "hunter22"}',
        "sk-hunter22hunter22",
    ],
)
def test_what_looks_like_a_secret_is_hidden(text: str) -> None:
    assert "hunter22" not in redact(text)


def test_known_secret_is_hidden_wherever_it_stands() -> None:
    line = OneLine(("s3cr3t",)).format(_record(message="got s3cr3t back", url="x/s3cr3t"))
    assert "s3cr3t" not in line


def test_ordinary_text_is_left_alone() -> None:
    text = "13 tokens in 4 ms; secretary of state; http://host:8123/db"
    assert redact(text) == text


def test_flood_is_cut_and_counted() -> None:
    now_s = [0.0]
    limit = FloodLimit(loggers=("aiokafka",), burst=2, window_s=10, clock=lambda: now_s[0])
    passed = [limit.filter(_record("aiokafka.conn")) for _ in range(100)]
    assert passed == [True, True] + [False] * 98
    now_s[0] = 10.0
    next_one = _record("aiokafka.client")
    assert limit.filter(next_one)
    assert OneLine().format(next_one).endswith("suppressed=98")


def test_our_own_lines_are_never_cut() -> None:
    limit = FloodLimit(loggers=("aiokafka",), burst=1)
    assert all(limit.filter(_record("prefstream.judge")) for _ in range(50))
    assert all(limit.filter(_record("aiokafkalike")) for _ in range(50))


def test_limit_holds_for_loggers_below(monkeypatch: pytest.MonkeyPatch) -> None:
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(OneLine())
    handler.addFilter(FloodLimit(burst=3))
    logger = logging.getLogger("aiokafka.consumer.fetcher")
    monkeypatch.setattr(logger, "propagate", False)
    logger.addHandler(handler)
    for _ in range(20):
        logger.error("Failed fetch messages")
    logger.removeHandler(handler)
    assert len(stream.getvalue().splitlines()) == 3
