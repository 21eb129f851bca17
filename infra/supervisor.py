"""The process behind `prefstream up`: it owns the stack until it is told to end.

    python -m infra.supervisor < plan.json

It starts what the plan says, starts again what ends by itself, and stops everything when it gets
SIGTERM, SIGINT or SIGHUP. Killed outright, it still leaves nothing behind (infra/guard.py).
"""

import contextlib
import logging
import signal
import sys
import time
from functools import partial
from typing import NoReturn

from infra.plan import StackPlan, is_ready
from infra.process import ManagedProcess, ProcessFailed
from infra.restarts import Restarts
from infra.settings import Settings
from infra.stack import Stack
from infra.stack_state import ProcessState, update_state
from infra.telemetry import set_up_logging
from schemas.errors import PrefstreamError

_log = logging.getLogger("prefstream.supervisor")
_END_SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)
_CHECK_S = 0.5
# A judge or policy model in process takes its time to load.
_READY_S = 120.0
FAILED = "failed: "
"""How a supervisor's status in the state file begins where the stack did not come up."""


class _Told(BaseException):
    """A signal said to end."""


class Supervisor:
    """Runs a plan until it is interrupted."""

    def __init__(self, stack: Stack, plan: StackPlan) -> None:
        self._stack = stack
        self._plan = plan
        self._restarts: dict[str, Restarts] = {}

    def run(self) -> NoReturn:
        """Start all, say so in the state file, and watch over it for ever.

        Raises ``PrefstreamError`` if the stack does not come up.
        """
        self._stack.start_kafka()
        # All at once: each takes seconds to import and load, and none needs another to be up.
        started = [(planned, self._stack.start(planned.spec)) for planned in self._plan.processes]
        for planned, process in started:
            process.wait_ready(partial(is_ready, self._stack.settings, planned), _READY_S)
        self._stack.announce_ready()
        _log.info("stack is up", extra={"processes": ",".join(self._stack.processes)})
        while True:
            time.sleep(_CHECK_S)
            for name, process in self._stack.processes.items():
                self._watch(name, process)

    def _watch(self, name: str, process: ManagedProcess) -> None:
        """Start a process again that ended by itself, as often as ``Restarts`` allows."""
        code = process.exit_code
        if code is None:
            return
        restarts = self._restarts.setdefault(name, Restarts())
        now = time.monotonic()
        if not restarts.noticed(process.pid):
            self._stack.record(name)
            _log.error(
                "process ended",
                extra={"child": name, "exit_code": code, "log": str(process.log_path)},
            )
            restarts.ended(process.pid, now)
        if process.spec.restart and restarts.due(now):
            try:
                self._stack.restart(name)
            except ProcessFailed as error:
                _log.error(
                    "process did not start again", extra={"child": name, "detail": str(error)}
                )


def supervise(settings: Settings, plan: StackPlan) -> None:
    """Run the plan on the settings' data folder until a signal ends it.

    Raises ``PrefstreamError`` if the stack does not come up; nothing of it is left then.
    """
    for number in _END_SIGNALS:
        signal.signal(number, _end)
    with contextlib.suppress(_Told), Stack(settings) as stack:
        Supervisor(stack, plan).run()


def main() -> int:
    """Read the plan from standard input and supervise it; returns the exit code."""
    settings = Settings()
    set_up_logging(settings)
    plan = StackPlan.model_validate_json(sys.stdin.read())
    try:
        supervise(settings, plan)
    except PrefstreamError as error:
        # `prefstream up` waits for this.
        failed = ProcessState(status=f"{FAILED}{error}")
        update_state(settings.data_dir, lambda s: s.model_copy(update={"supervisor": failed}))
        _log.error("stack did not come up", extra={"detail": str(error)})
        return 1
    return 0


def _end(*_: object) -> NoReturn:
    # Once told, a second signal must not interrupt the stopping.
    for other in _END_SIGNALS:
        signal.signal(other, signal.SIG_IGN)
    raise _Told


if __name__ == "__main__":
    sys.exit(main())
