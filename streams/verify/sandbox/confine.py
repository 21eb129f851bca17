"""What a process gives up before it meets text nobody trusts.

Each protection is tried on its own and reported, since kernels and containers differ in what they
allow; ``floor`` decides whether what is left is enough. Called by the process on itself: a
``preexec_fn`` would cost the parent a slow fork.
"""

import os
import resource
import signal
import struct
import sysconfig
import threading
from collections.abc import Callable, Sequence
from functools import partial

from streams.verify.sandbox import kernel, landlock, seccomp
from streams.verify.sandbox.namespaces import leave_network

_SYS_CAPSET = {"x86_64": 126, "aarch64": 91}
_CAPABILITY_VERSION_3 = 0x20080522

ACTIVE = "active"
Report = dict[str, str]
"""Per protection ``active``, or the reason why it is not."""

_DEVICES = ("/dev/null",)
_SYSTEM_PATHS = (
    *("/lib", "/lib64", "/usr/lib", "/usr/lib64", "/usr/share/zoneinfo"),
    *("/etc/ld.so.cache", "/etc/localtime", "/dev/urandom", "/dev/zero"),
)


def limit_resources(
    *, address_space_bytes: int, file_bytes: int, open_files: int, cpu_s: int | None = None
) -> Report:
    """Lower what the process may use; ``cpu_s`` is of all its threads together."""
    wanted = {
        "memory": (resource.RLIMIT_AS, address_space_bytes),
        "files_written": (resource.RLIMIT_FSIZE, file_bytes),
        "files_open": (resource.RLIMIT_NOFILE, open_files),
        "core_dump": (resource.RLIMIT_CORE, 0),
        "processes": (resource.RLIMIT_NPROC, 0),
    }
    if cpu_s is not None:
        wanted["cpu"] = (resource.RLIMIT_CPU, cpu_s)
    report = {
        name: attempt(partial(resource.setrlimit, what, (value, value)))
        for name, (what, value) in wanted.items()
    }
    if os.geteuid() == 0:
        report["processes"] = "without effect for root; the filter of system calls stops them"
    return report


def leave_namespaces() -> Report:
    """Leave the network of the machine."""
    return {"network": attempt(leave_network)}


def give_up(
    *,
    parent_pid: int,
    readable: Sequence[str],
    own: Sequence[str] = (),
    threads: bool,
    installed: bool = True,
) -> Report:
    """Give up privileges, files and system calls; what is needed must be open or imported.

    ``readable`` are files and folders beside those of Python, ``own`` folders to change;
    ``installed``: whether packages beside the standard library are needed.
    """
    # Order matters: a change of credentials clears the parent-death signal and the dumpable flag,
    # Landlock and seccomp need no_new_privs, and after seccomp nothing can be given up.
    report = {
        "capabilities": attempt(_drop_capabilities),
        "new_privileges": attempt(lambda: kernel.prctl(kernel.PR_SET_NO_NEW_PRIVS, 1)),
        "tracing": attempt(lambda: kernel.prctl(kernel.PR_SET_DUMPABLE, 0)),
        "orphan": attempt(lambda: die_with(parent_pid)),
    }
    report |= _landlock([*readable_paths(installed=installed), *readable], own)
    report["system_calls"] = attempt(lambda: _filter(threads=threads))
    return report


def python_paths(*, installed: bool) -> list[str]:
    """Folders of the standard library, and of what is installed beside it."""
    paths = sysconfig.get_paths()
    names = (
        ("stdlib", "platstdlib", "purelib", "platlib") if installed else ("stdlib", "platstdlib")
    )
    return [paths[name] for name in names]


def readable_paths(*, installed: bool) -> list[str]:
    """What Python needs to read to import what it has not imported yet."""
    return [*python_paths(installed=installed), *_SYSTEM_PATHS]


def attempt(protect: Callable[[], None]) -> str:
    """``active``, or why this protection cannot be had."""
    try:
        protect()
    except (OSError, ValueError, KeyError, AttributeError) as error:
        return str(error) or type(error).__name__
    return ACTIVE


def _landlock(readable: Sequence[str], own: Sequence[str]) -> Report:
    try:
        version = landlock.restrict(readable, own, _DEVICES)
    except OSError as error:
        return dict.fromkeys(("file_system", "tcp", "signals"), f"no Landlock: {error}")
    return {
        "file_system": ACTIVE,
        "tcp": landlock.tcp_missing(version) or ACTIVE,
        "signals": landlock.scopes_missing(version) or ACTIVE,
    }


def _filter(*, threads: bool) -> None:
    if threading.active_count() > 1:
        raise OSError("there are other threads, which a filter would not reach")
    seccomp.install(threads=threads)


def _drop_capabilities() -> None:
    number = _SYS_CAPSET[os.uname().machine]
    header = struct.pack("=Ii", _CAPABILITY_VERSION_3, 0)
    kernel.syscall(number, header, bytes(24))


def die_with(parent_pid: int) -> None:
    """Let the kernel end this process with its parent; raises OSError."""
    kernel.prctl(kernel.PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent_pid:  # it died before the signal was asked for
        os._exit(0)
