"""Harmless tries of what a confined process must not be able to do, one function each.

Each returns where it got through and raises where it was stopped. Our own code: ``doctor sandbox``
runs it in real children. Standard library only, and complete in itself: its text is also sent.
"""

import ctypes
import os
import socket
import time

_PTRACE_SEIZE = 0x4206  # unlike attaching, it does not stop the process


def read_file(path: str) -> str:
    """Read a file outside."""
    with open(path) as file:
        return f"read {len(file.read())} characters"


def read_environment(pid: int) -> str:
    """Read the environment of a process outside."""
    with open(f"/proc/{pid}/environ", "rb") as file:
        return f"read {len(file.read())} bytes"


def write_file(folder: str) -> str:
    """Write a file outside."""
    with open(f"{folder}/written", "w") as file:
        file.write("x")
    return "wrote a file"


def connect(port: int) -> str:
    """Connect to a port of this machine."""
    with socket.create_connection(("127.0.0.1", port), timeout=1):
        return "connected"


def fork() -> str:
    """Start a process."""
    pid = os.fork()
    if pid == 0:
        os._exit(0)
    return f"started process {pid}"


def execute() -> str:
    """Become another program."""
    os.execv("/bin/true", ["true"])  # noqa: S606
    return "became another program"


def signal_process(pid: int) -> str:
    """Signal a process outside (with 0, which only asks whether one may)."""
    os.kill(pid, 0)
    return f"may signal process {pid}"


def trace(pid: int) -> str:
    """Trace a process outside."""
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.ptrace(ctypes.c_long(_PTRACE_SEIZE), ctypes.c_long(pid), None, None) != 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    return f"traces process {pid}"


def allocate(size: int) -> str:
    """Take more memory than the limit."""
    return f"has {len(bytearray(size))} bytes"


def spin(seconds: float) -> str:
    """Compute for longer than the limit."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        pass
    return f"computed for {seconds:g} s"
