"""Ending a stack from outside: by its state file, whoever started it."""

import signal
import time
from collections.abc import Iterator
from pathlib import Path

from infra.process_identity import runs, send
from infra.stack_state import StackState, read_state

_POLL_S = 0.05
# A supervisor stops its workers within their grace (15 s), then the broker within its own.
_SUPERVISOR_S = 60.0
# Whoever is left has already been asked by its guard.
_LEFTOVER_S = 20.0


def end_stack(data_dir: Path) -> bool:
    """Stop the stack of this folder and wait until no process of it is left.

    False if nothing of it ran.
    """
    state = read_state(data_dir)
    supervisor = state.supervisor
    found = False
    if supervisor and send(supervisor.pid, supervisor.started, signal.SIGTERM):
        found = True
        if not _gone([(supervisor.pid, supervisor.started)], _SUPERVISOR_S):
            send(supervisor.pid, supervisor.started, signal.SIGKILL)
    return end_recorded(data_dir) or found


def end_recorded(data_dir: Path) -> bool:
    """End every process (but the supervisor) that the state file names and that still runs:
    SIGTERM, after 20 s SIGKILL. False if none ran."""
    left = list(recorded(read_state(data_dir)))
    found = False
    for pid, started in left:
        found |= send(pid, started, signal.SIGTERM)
    if not _gone(left, _LEFTOVER_S):
        for pid, started in left:
            send(pid, started, signal.SIGKILL)
        _gone(left, _LEFTOVER_S)
    return found


def recorded(state: StackState) -> Iterator[tuple[int | None, str]]:
    """Pid and start mark of every process of the state, but for the supervisor."""
    yield from ((p.pid, p.started) for p in state.processes.values())
    if state.kafka:
        yield state.kafka.pid, state.kafka.started
    if state.clickhouse:
        yield state.clickhouse.pid, state.clickhouse.started


def _gone(processes: list[tuple[int | None, str]], timeout_s: float) -> bool:
    deadline = time.monotonic() + timeout_s
    while any(runs(pid, started) for pid, started in processes):
        if time.monotonic() > deadline:
            return False
        time.sleep(_POLL_S)
    return True
