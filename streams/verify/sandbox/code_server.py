"""A process that only forks: each submission gets a fresh copy of an interpreter that is warm.

Run as ``python -m streams.verify.sandbox.code_server FD PARENT_PID LIMITS`` by the pool of code.
Nothing untrusted enters this process: the socket to a submission is passed on unread, so its
memory, which every copy can see, holds nothing of the submissions before.
"""

import gc
import importlib
import json
import os
import signal
import socket
import struct
import sys

from streams.verify.sandbox import code_runner, kernel
from streams.verify.sandbox.confine import attempt, die_with, leave_namespaces, python_paths
from streams.verify.sandbox.frame import frame
from streams.verify.sandbox.limits import CodeLimits

# What answers import most; importing them once here makes a submission's own import free.
_WARM = (
    *("abc", "bisect", "cmath", "collections", "contextlib", "copy", "dataclasses", "datetime"),
    *("decimal", "enum", "fractions", "functools", "hashlib", "heapq", "inspect", "io"),
    *("itertools", "math", "numbers", "operator", "queue", "random", "re", "statistics", "string"),
    *("textwrap", "time", "typing", "unicodedata"),
)

OBITUARY = struct.Struct("!idq")
"""Wait status, CPU seconds, peak resident KiB."""


def main(arguments: list[str]) -> None:
    """Fork for each descriptor that comes, and bury each child when told."""
    control = socket.socket(fileno=int(arguments[0]))
    limits = CodeLimits(**json.loads(arguments[2]))
    parent_pid = int(arguments[1])
    report = leave_namespaces()
    attempt(lambda: kernel.prctl(kernel.PR_SET_DUMPABLE, 0))
    attempt(lambda: die_with(parent_pid))
    for name in _WARM:
        importlib.import_module(name)
    python_paths(installed=False)  # it reads files the first time
    sys.path[:] = [path for path in sys.path if path.startswith((sys.prefix, sys.base_prefix))]
    sys.argv[:] = ["solution.py"]
    os.environ.clear()
    os.chdir("/")
    gc.collect()
    gc.freeze()
    control.sendall(frame(b"{}"))
    while _serve_one(control, limits, report):
        pass


def _serve_one(control: socket.socket, limits: CodeLimits, report: dict[str, str]) -> bool:
    """One submission; False where the pool has gone."""
    message, descriptors, _, _ = socket.recv_fds(control, 1, 1)
    if not message:
        return False
    own_pid = os.getpid()
    pid = os.fork()
    if pid == 0:
        try:
            control.close()
            code_runner.serve(descriptors[0], limits, report, own_pid)
        finally:
            os._exit(0)
    os.close(descriptors[0])
    told = control.recv(1)
    os.kill(pid, signal.SIGKILL)
    _, status, usage = os.wait4(pid, 0)
    if told:
        cpu_s = usage.ru_utime + usage.ru_stime
        control.sendall(OBITUARY.pack(status, cpu_s, usage.ru_maxrss))
    return bool(told)


if __name__ == "__main__":
    main(sys.argv[1:])
