"""Logging of every process: one line an event, in logfmt, without secrets and without floods.

    2026-01-31T12:00:00.123Z WARNING prefstream.judge "intake paused" reason=rate_limit

Fields come from ``extra``: ``log.warning("intake paused", extra={"reason": "rate_limit"})``.
"""

import json
import logging
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import TextIO

from infra.redaction import redact
from infra.settings import Settings
from schemas.errors import PrefstreamError

# While a broker is away these write thousands of lines that all say the same (facts.md). Ours
# are not limited: each of them is there to be read.
FLOODING = ("aiokafka", "faust", "mode", "kafka", "prefstream.librdkafka", "urllib3", "httpx")
# A burst shows what is wrong; after it one line per window tells that it still is.
_BURST_RECORDS = 5
_WINDOW_S = 10.0

_STANDARD = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "suppressed"}


class OneLine(logging.Formatter):
    """Time (UTC), level, logger, message, then the ``extra`` fields; always a single line.

    A ``PrefstreamError`` is its sentence; of any other exception the stack trace is kept.
    """

    def __init__(self, secrets: tuple[str, ...] = ()) -> None:
        super().__init__()
        self._secrets = secrets

    def format(self, record: logging.LogRecord) -> str:
        """The record as one line."""
        moment = datetime.fromtimestamp(record.created, UTC)
        stamp = moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
        parts = [stamp, record.levelname, record.name, json.dumps(record.getMessage())]
        fields = {k: v for k, v in vars(record).items() if k not in _STANDARD}
        if suppressed := getattr(record, "suppressed", 0):
            fields["suppressed"] = suppressed
        if record.exc_info and (error := record.exc_info[1]) is not None:
            fields["error"] = type(error).__name__
            fields["detail"] = (
                str(error)
                if isinstance(error, PrefstreamError)
                else self.formatException(record.exc_info)
            )
        parts += [f"{name}={_value(value)}" for name, value in fields.items()]
        return redact(" ".join(parts), self._secrets)


class FloodLimit(logging.Filter):
    """Lets through ``burst`` records of each flooding logger and level per window; the first of
    the next window carries how many were left out (``suppressed=``)."""

    def __init__(
        self,
        *,
        loggers: tuple[str, ...] = FLOODING,
        burst: int = _BURST_RECORDS,
        window_s: float = _WINDOW_S,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        super().__init__()
        self._loggers = loggers
        self._burst = burst
        self._window_s = window_s
        self._clock = clock
        self._seen: dict[tuple[str, int], tuple[float, int]] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        """Whether the record may be written."""
        root = next((n for n in self._loggers if f"{record.name}.".startswith(f"{n}.")), None)
        if root is None:
            return True
        key = (root, record.levelno)
        now = self._clock()
        began, seen = self._seen.get(key, (now, 0))
        if now - began >= self._window_s:
            record.suppressed = max(0, seen - self._burst)
            began, seen = now, 0
        self._seen[key] = (began, seen + 1)
        return seen < self._burst


def set_up_logging(
    settings: Settings, *, level: int = logging.INFO, stream: TextIO | None = None
) -> logging.Handler:
    """Send all logging of this process to ``stream`` (standard error), and replace whatever was
    set up before; returns the handler."""
    key = settings.model_api_key
    handler = logging.StreamHandler(stream or sys.stderr)
    handler.setFormatter(OneLine((key.get_secret_value(),) if key else ()))
    # On the handler: a filter on a logger does not see the records of the loggers below it.
    handler.addFilter(FloodLimit())
    root = logging.getLogger()
    for old in list(root.handlers):
        root.removeHandler(old)
    root.addHandler(handler)
    root.setLevel(level)
    for name in FLOODING:
        logging.getLogger(name).setLevel(max(level, logging.WARNING))
    return handler


def _value(value: object) -> str:
    text = value if isinstance(value, str) else str(value)
    plain = text and all(c.isprintable() and c not in ' "=' for c in text)
    return text if plain else json.dumps(text)
