"""The process between a stack and each of its children; it makes sure that none is left behind.

    python -I -S guard.py REPORT_FD GRACE_S COMMAND [ARGUMENT ...]

It runs COMMAND in a session of its own, writes its pid to REPORT_FD, and exits with its exit code
(128 + signal where a signal ended it). Whatever way the stack goes, the child goes too:

- standard input closes (the stack stopped it, or died): SIGTERM, then SIGKILL after GRACE_S;
- the guard itself is killed: the kernel kills the child (PR_SET_PDEATHSIG; only the thread that
  forked counts as the parent there, which is why this is a process with one thread);
- the child ends but left processes of its own: they fall to the guard (PR_SET_CHILD_SUBREAPER),
  which kills them.

Standard library only: it starts in 30 ms and must not fail for reasons of ours. Where prctl is
missing (not Linux) the first of the three still holds.
"""

import contextlib
import ctypes
import os
import select
import signal
import subprocess
import sys
import time
from pathlib import Path

_PR_SET_PDEATHSIG = 1
_PR_SET_CHILD_SUBREAPER = 36
_ORPHAN_KILL_S = 5.0
# Should someone else hold our standard input open (a fork of the stack), its end still shows here.
_PARENT_CHECK_S = 2.0


def main(report_fd: int, grace_s: float, command: list[str]) -> int:
    """Run ``command`` to its end, or to ours; returns its exit code."""
    wake, wake_write = os.pipe()
    os.set_blocking(wake_write, False)
    signal.set_wakeup_fd(wake_write)
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGCHLD):
        signal.signal(number, lambda *_: None)
    _prctl(_PR_SET_CHILD_SUBREAPER, 1)
    guard = os.getpid()
    try:
        child = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            start_new_session=True,
            preexec_fn=lambda: _die_with(guard),
        )
    except OSError as error:
        print(f"{command[0]} cannot be started: {error.strerror}", file=sys.stderr)
        return 127
    os.write(report_fd, str(child.pid).encode())
    os.close(report_fd)
    _await_end(child, wake)
    if child.poll() is None:
        _end(child, wake, grace_s)
    _kill_orphans(child.pid)
    code = child.returncode
    return 128 - code if code < 0 else code


def _await_end(child: "subprocess.Popen[bytes]", wake: int) -> None:
    """Return when the child has ended or when it must be ended."""
    parent = os.getppid()
    while child.poll() is None and os.getppid() == parent:
        ready, _, _ = select.select([0, wake], [], [], _PARENT_CHECK_S)
        if wake in ready and set(os.read(wake, 64)) - {signal.SIGCHLD}:
            return
        if 0 in ready and not os.read(0, 64):
            return


def _end(child: "subprocess.Popen[bytes]", wake: int, grace_s: float) -> None:
    child.send_signal(signal.SIGTERM)
    deadline = time.monotonic() + grace_s
    while child.poll() is None and (left := deadline - time.monotonic()) > 0:
        if select.select([wake], [], [], left)[0]:
            os.read(wake, 64)
    if child.poll() is None:
        child.kill()
        child.wait()


def _kill_orphans(group: int) -> None:
    """Kill what the child left behind: its process group and whoever fell to us."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(group, signal.SIGKILL)
    deadline = time.monotonic() + _ORPHAN_KILL_S
    # Each one killed may hand us children of its own.
    while (orphans := _children()) and time.monotonic() < deadline:
        for orphan in orphans:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.kill(orphan, signal.SIGKILL)
            with contextlib.suppress(ChildProcessError):
                os.waitpid(orphan, 0)


def _children() -> list[int]:
    """Pids of our own children; none where there is no /proc."""
    ours = str(os.getpid())
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            # The command's name, in parentheses, may hold spaces and parentheses itself.
            if stat.read_text(errors="replace").rpartition(")")[2].split()[1] == ours:
                found.append(int(stat.parent.name))
    return found


def _die_with(guard: int) -> None:
    _prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != guard:
        os._exit(1)


def _prctl(option: int, value: int) -> None:
    with contextlib.suppress(OSError, AttributeError):
        ctypes.CDLL(None, use_errno=True).prctl(option, value, 0, 0, 0)


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]), float(sys.argv[2]), sys.argv[3:]))
