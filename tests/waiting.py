"""Waiting for what another process does, without guessing how long it takes."""

import time
from collections.abc import Callable

_POLL_S = 0.02
# Far above what anything takes on two busy cores: reached only by what would never come.
DEADLINE_S = 180.0


def wait_until(condition: Callable[[], object], what: str, timeout_s: float = DEADLINE_S) -> None:
    """Return as soon as ``condition()`` is true; else fail and say ``what`` was awaited."""
    deadline_s = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < deadline_s, f"waited {timeout_s:g} s in vain: {what}"
        time.sleep(_POLL_S)


def seen_within(timeout_s: float, condition: Callable[[], object]) -> bool:
    """Whether ``condition()`` came true within that time: for what must not happen."""
    deadline_s = time.monotonic() + timeout_s
    while not condition() and time.monotonic() < deadline_s:
        time.sleep(_POLL_S)
    return bool(condition())
