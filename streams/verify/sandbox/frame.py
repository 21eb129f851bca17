"""Length-prefixed messages between the pool and its children. Standard library only."""

import socket
import struct

HEADER = struct.Struct("!I")


def frame(payload: bytes) -> bytes:
    """The payload with its length before it."""
    return HEADER.pack(len(payload)) + payload


def read_frame(connection: socket.socket) -> bytes | None:
    """The next payload, or None where the other side has closed."""
    header = _read(connection, HEADER.size)
    return None if header is None else _read(connection, HEADER.unpack(header)[0])


def _read(connection: socket.socket, size: int) -> bytes | None:
    parts = bytearray()
    while len(parts) < size:
        part = connection.recv(size - len(parts))
        if not part:
            return None
        parts += part
    return bytes(parts)
