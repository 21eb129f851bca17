"""The pages behind a socket, in a thread that a signal can stop."""

import socket
from contextlib import suppress

import uvicorn
from fastapi import FastAPI

from schemas.errors import ConfigError


def listen(host: str, port: int) -> socket.socket:
    """A socket that listens there; port 0 is any free one. Raises ``ConfigError``."""
    try:
        door = socket.create_server((host, port))
    except OSError as error:
        raise ConfigError(
            f"cannot listen on {host}:{port} ({error.strerror}); choose another one by --port"
        ) from None
    # asyncio sets it only on sockets that name their protocol, which this one does not: head and
    # body of an answer are two writes, and the second waited 40 ms for the first's delayed ack.
    door.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return door


def serve_until_stopped(pages: FastAPI, door: socket.socket) -> None:
    """Answer until SIGTERM or SIGINT, and finish what is being answered."""
    config = uvicorn.Config(
        pages,
        log_level="warning",
        server_header=False,
        # Somebody's open page must not keep the server from ending.
        timeout_graceful_shutdown=10,
    )
    # Once everything is answered uvicorn raises the signal that ended it again.
    with suppress(KeyboardInterrupt):
        uvicorn.Server(config).run(sockets=[door])
