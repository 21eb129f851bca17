"""Which process a pid means: a pid alone may have been given to another one since."""

import contextlib
import os
import signal
import subprocess
from pathlib import Path


def start_mark(pid: int) -> str | None:
    """When the process started, as text that only it can have; None if there is none (a zombie,
    which runs no more, counts as none)."""
    stat = Path(f"/proc/{pid}/stat")
    if not Path("/proc/self/stat").exists():
        return _mark_by_ps(pid)
    try:
        # The command's name, in parentheses, may hold spaces and parentheses itself.
        fields = stat.read_text().rpartition(")")[2].split()
    except OSError:
        return None
    if fields[0] in "ZX":
        return None
    boot = Path("/proc/sys/kernel/random/boot_id")
    return f"{boot.read_text()[:8] if boot.exists() else ''}:{fields[19]}"


def runs(pid: int | None, started: str) -> bool:
    """Whether the very process that had ``pid`` and the start mark ``started`` still runs."""
    return pid is not None and started != "" and start_mark(pid) == started


def send(pid: int | None, started: str, number: signal.Signals) -> bool:
    """Send a signal to that very process; False (and nothing is sent) if it runs no more."""
    if pid is None:
        return False
    if not hasattr(os, "pidfd_open"):
        if not runs(pid, started):
            return False
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, number)
        return True
    # Through a descriptor the check and the signal meet the same process.
    try:
        descriptor = os.pidfd_open(pid)
    except OSError:
        return False
    try:
        if not runs(pid, started):
            return False
        signal.pidfd_send_signal(descriptor, number)
    except ProcessLookupError:
        return False
    finally:
        os.close(descriptor)
    return True


def _mark_by_ps(pid: int) -> str | None:
    found = subprocess.run(
        ["ps", "-o", "lstart=", "-p", str(pid)], capture_output=True, text=True, check=False
    )
    return found.stdout.strip() or None
