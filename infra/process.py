"""One child process of a stack: started under a guard, with its log file."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field

from infra.process_identity import send, start_mark
from infra.stack_state import ProcessState
from schemas.errors import PrefstreamError

_GUARD = Path(__file__).with_name("guard.py")
_READY_POLL_S = 0.05
# The guard gives the child its grace and then kills it; it needs a moment itself.
_GUARD_MARGIN_S = 10.0
# A log this long is put aside at the next start, so that logs do not grow for ever.
_LOG_BYTES = 10 * 1024 * 1024
_LOG_TAIL_LINES = 12
# A stack trace is one line of thousands of characters; its beginning says what happened.
_LOG_TAIL_COLUMNS = 300


class ProcessFailed(PrefstreamError):
    """A child process did not start or ended early; the text holds the end of its log."""


class ProcessSpec(BaseModel):
    """What to run. ``environment`` is added to ours; ``stop_timeout_s`` is what it may take to
    drain after SIGTERM before it is killed, ``url`` where people reach it, or probes a worker."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str = Field(pattern=r"^[a-z0-9][a-z0-9-]*$")
    argv: tuple[str, ...] = Field(min_length=1)
    environment: dict[str, str] = Field(default_factory=dict)
    stop_timeout_s: float = Field(default=15.0, gt=0)
    url: str = ""
    restart: bool = True
    """Whether the background supervisor starts it again when it ends by itself."""


class ManagedProcess:
    """A running child. It ends when it is told to, or when this process does, however it does."""

    def __init__(self, spec: ProcessSpec, log_path: Path) -> None:
        """Start ``spec`` with its output appended to ``log_path``.

        Raises ``ProcessFailed`` if the command cannot be run at all.
        """
        self.spec = spec
        self.log_path = log_path
        log_path.parent.mkdir(parents=True, exist_ok=True)
        if log_path.exists() and log_path.stat().st_size > _LOG_BYTES:
            log_path.replace(log_path.with_suffix(".log.1"))
        self._log_start = log_path.stat().st_size if log_path.exists() else 0
        report, report_write = os.pipe()
        try:
            with log_path.open("ab") as log:
                self._guard = subprocess.Popen(
                    [
                        *(sys.executable, "-I", "-S", str(_GUARD)),
                        *(str(report_write), str(spec.stop_timeout_s), *spec.argv),
                    ],
                    stdin=subprocess.PIPE,
                    stdout=log,
                    stderr=log,
                    env=os.environ | spec.environment,
                    pass_fds=(report_write,),
                    start_new_session=True,
                )
        finally:
            os.close(report_write)
        with os.fdopen(report, "rb") as reported:
            pid = reported.read()
        if not pid:
            self._guard.wait()
            raise ProcessFailed(f"{spec.name} could not be started: {self.log_tail()}")
        self.pid = int(pid)
        self.started = start_mark(self.pid) or ""

    @property
    def exit_code(self) -> int | None:
        """None while it runs; 128 + signal where a signal ended it."""
        return self._guard.poll()

    def wait_ready(self, ready: Callable[[], bool], timeout_s: float) -> float:
        """Wait until ``ready()``; returns the seconds it took.

        Raises ``ProcessFailed``, with the end of the log, if the process ends or stays unready.
        """
        began = time.monotonic()
        while not ready():
            took_s = time.monotonic() - began
            if self.exit_code is not None:
                raise ProcessFailed(
                    f"{self.spec.name} ended with exit code {self.exit_code} before it was "
                    f"ready: {self.log_tail()}"
                )
            if took_s > timeout_s:
                raise ProcessFailed(
                    f"{self.spec.name} was not ready within {timeout_s:g} s: {self.log_tail()}"
                )
            time.sleep(_READY_POLL_S)
        return time.monotonic() - began

    def wait(self, timeout_s: float | None = None) -> int:
        """Wait for it to end by itself and return its exit code; raises ``TimeoutError``."""
        try:
            return self._guard.wait(timeout_s)
        except subprocess.TimeoutExpired:
            raise TimeoutError(f"{self.spec.name} still runs after {timeout_s} s") from None

    def request_stop(self) -> None:
        """Have it sent SIGTERM, and SIGKILL after its grace; does not wait."""
        if self._guard.stdin is not None:
            self._guard.stdin.close()

    def stop(self) -> int:
        """Stop it, wait until it and all that it left behind are gone; returns its exit code."""
        self.request_stop()
        try:
            return self._guard.wait(self.spec.stop_timeout_s + _GUARD_MARGIN_S)
        except subprocess.TimeoutExpired:
            self._guard.kill()
            return self._guard.wait()

    def kill(self) -> int:
        """SIGKILL, as a fault would; waits until it is gone."""
        send(self.pid, self.started, signal.SIGKILL)
        return self.stop()

    def state(self) -> ProcessState:
        """What the state file says of it."""
        code = self.exit_code
        return ProcessState(
            pid=self.pid if code is None else None,
            started=self.started,
            argv=self.spec.argv,
            log=str(self.log_path),
            url=self.spec.url,
            status="running" if code is None else f"exit {code}",
        )

    def log_tail(self) -> str:
        """The last lines that it wrote since it was started."""
        if not self.log_path.exists():
            return "(no log)"
        with self.log_path.open("rb") as log:
            log.seek(self._log_start)
            lines = log.read().decode("utf-8", "replace").strip().splitlines()
        tail = "\n  ".join(line[:_LOG_TAIL_COLUMNS] for line in lines[-_LOG_TAIL_LINES:])
        return f"\n  {tail}\n(all of it: {self.log_path})" if tail else f"(empty: {self.log_path})"
