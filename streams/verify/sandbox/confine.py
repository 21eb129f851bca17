"""What the child gives up before it meets a query: resources, privileges, network.

Each protection is tried on its own and reported, since kernels and containers differ in what they
allow. Called by the child on itself: a ``preexec_fn`` would cost the parent a slow fork.
"""

import ctypes
import os
import resource
import signal
import struct
from collections.abc import Callable

from streams.verify.sandbox.limits import Limits

_CLONE_NEWIPC = 0x08000000
_CLONE_NEWUSER = 0x10000000
_CLONE_NEWNET = 0x40000000
_PR_SET_PDEATHSIG = 1
_PR_SET_DUMPABLE = 4
_PR_SET_NO_NEW_PRIVS = 38
_SYS_CAPSET = {"x86_64": 126, "aarch64": 91}
_CAPABILITY_VERSION_3 = 0x20080522

ACTIVE = "active"


def confine(limits: Limits, parent_pid: int) -> dict[str, str]:
    """Give up everything; per protection ``active`` or the reason why it is not."""
    libc = ctypes.CDLL(None, use_errno=True)
    # Order matters: namespaces need capabilities, and a change of credentials clears the
    # parent-death signal and the dumpable flag.
    return {
        "memory": _try(lambda: _limit(resource.RLIMIT_AS, limits.address_space_bytes)),
        "files_written": _try(lambda: _limit(resource.RLIMIT_FSIZE, 0)),
        "files_open": _try(lambda: _limit(resource.RLIMIT_NOFILE, limits.open_files)),
        "core_dump": _try(lambda: _limit(resource.RLIMIT_CORE, 0)),
        "network": _try(lambda: _leave_network(libc)),
        "capabilities": _try(lambda: _drop_capabilities(libc)),
        "new_privileges": _try(lambda: _prctl(libc, _PR_SET_NO_NEW_PRIVS, 1)),
        "tracing": _try(lambda: _prctl(libc, _PR_SET_DUMPABLE, 0)),
        "orphan": _try(lambda: _die_with(libc, parent_pid)),
        "processes": _try(lambda: _limit(resource.RLIMIT_NPROC, 0)),
    }


def arm(limits: Limits) -> None:
    """Start one query's clocks: the kernel ends the process, whatever code is running then."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    _, hard = resource.getrlimit(resource.RLIMIT_CPU)
    allowed_s = int(used.ru_utime + used.ru_stime + limits.wall_s) + 1
    resource.setrlimit(resource.RLIMIT_CPU, (allowed_s, hard))
    signal.setitimer(signal.ITIMER_REAL, limits.wall_s)


def disarm() -> None:
    """Stop the clock of a query that came back."""
    signal.setitimer(signal.ITIMER_REAL, 0)


def _try(protect: Callable[[], None]) -> str:
    try:
        protect()
    except (OSError, ValueError, KeyError, AttributeError) as error:
        return str(error) or type(error).__name__
    return ACTIVE


def _limit(what: int, value: int) -> None:
    resource.setrlimit(what, (value, value))


def _check(result: int) -> None:
    if result != 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))


def _prctl(libc: ctypes.CDLL, option: int, value: int) -> None:
    _check(libc.prctl(option, ctypes.c_ulong(value), 0, 0, 0))


def _leave_network(libc: ctypes.CDLL) -> None:
    _check(libc.unshare(_CLONE_NEWUSER | _CLONE_NEWNET | _CLONE_NEWIPC))


def _drop_capabilities(libc: ctypes.CDLL) -> None:
    number = _SYS_CAPSET[os.uname().machine]
    header = struct.pack("=Ii", _CAPABILITY_VERSION_3, 0)
    _check(libc.syscall(ctypes.c_long(number), header, bytes(24)))


def _die_with(libc: ctypes.CDLL, parent_pid: int) -> None:
    _prctl(libc, _PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent_pid:  # it died before the signal was asked for
        os._exit(0)
