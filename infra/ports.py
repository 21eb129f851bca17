"""Free loopback ports for servers of the local stack."""

import random
import socket
from pathlib import Path

LOOPBACK = "127.0.0.1"
_RANGE_FILE = Path("/proc/sys/net/ipv4/ip_local_port_range")
_LOWEST = 12_000
_DEFAULT_EPHEMERAL = 32_768
_TRIES = 200
# A training seeds the process's own dice: two that were seeded alike would draw the same ports.
_DICE = random.SystemRandom()


def is_free(port: int) -> bool:
    """Whether a server could listen on the loopback port now."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, port))
        except OSError:
            return False
    return True


def free_port(preferred: int | None = None) -> int:
    """``preferred`` if it is free, else another one.

    It is below the range that the kernel gives to outgoing connections: a client that keeps
    knocking while our server is away could otherwise be given the server's own port, connect to
    itself, and keep the server from coming back.
    """
    if preferred is not None and is_free(preferred):
        return preferred
    top = _ephemeral_start()
    for _ in range(_TRIES):
        port = _DICE.randrange(_LOWEST, top)
        if is_free(port):
            return port
    with socket.socket() as probe:
        probe.bind((LOOPBACK, 0))
        return int(probe.getsockname()[1])


def listens(port: int, timeout_s: float = 0.2) -> bool:
    """Whether something accepts connections on the loopback port."""
    try:
        with socket.create_connection((LOOPBACK, port), timeout_s):
            return True
    except OSError:
        return False


def _ephemeral_start() -> int:
    try:
        start = int(_RANGE_FILE.read_text().split()[0])
    except (OSError, ValueError, IndexError):
        return _DEFAULT_EPHEMERAL
    return start if start > _LOWEST + 1000 else _DEFAULT_EPHEMERAL
