"""Starting a process that will be confined, with a socket to it."""

import contextlib
import json
import os
import socket
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

_ROOT = Path(__file__).parents[3]


@contextlib.contextmanager
def _pair() -> Iterator[tuple[socket.socket, socket.socket]]:
    ours, theirs = socket.socketpair()
    try:
        yield ours, theirs
    except BaseException:
        ours.close()
        raise
    finally:
        theirs.close()


def spawn(
    module: str,
    arguments: Sequence[object],
    *,
    flags: Sequence[str],
    environment: Mapping[str, str],
) -> tuple["subprocess.Popen[bytes]", socket.socket]:
    """The process of ``python -m module FD PARENT_PID JSON...`` and our end of its socket."""
    with _pair() as (ours, theirs):
        process = subprocess.Popen(  # does not block: exec reports within a millisecond
            [
                *(sys.executable, *flags, "-m", module),
                *(str(theirs.fileno()), str(os.getpid())),
                *(json.dumps(argument) for argument in arguments),
            ],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            pass_fds=[theirs.fileno()],
            env=dict(environment),
            cwd=_ROOT,
            start_new_session=True,
        )
        ours.setblocking(False)
        return process, ours


def by_hand(module: str, arguments: Sequence[object]) -> str:
    """The command with which a person sees why the process does not start."""
    shown = " ".join(f"'{json.dumps(argument)}'" for argument in arguments)
    return f"{sys.executable} -m {module} 0 0 {shown}"
