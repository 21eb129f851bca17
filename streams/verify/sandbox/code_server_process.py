"""The parent's end of a code server, and of one submission in it."""

import asyncio
import contextlib
import json
import os
import signal
import socket
import subprocess
from collections.abc import AsyncIterator
from dataclasses import asdict
from typing import Any

from schemas.errors import Fatal
from streams.verify.sandbox.code_server import OBITUARY
from streams.verify.sandbox.confine import Report
from streams.verify.sandbox.frame import HEADER, frame
from streams.verify.sandbox.limits import CodeLimits
from streams.verify.sandbox.result import QueryError, QueryErrorKind
from streams.verify.sandbox.spawn import by_hand, spawn

_MODULE = "streams.verify.sandbox.code_server"
# No site packages, no bytecode; the hash seed is fixed, so that a verdict is the same each time.
_FLAGS = ("-s", "-S", "-B")
_ENVIRONMENT = {"PYTHONHASHSEED": "0"}
_START_S = 30.0
_FORK_S = 10.0
_REPLY_SLACK_BYTES = 64 * 1024


class ServerDied(Exception):
    """The server is gone or silent: not the doing of the code, which cannot reach it."""


class Ended(Exception):
    """The process of a submission is gone, or has to go."""

    def __init__(self, error: QueryError) -> None:
        super().__init__(error.message)
        self.error = error


class Submission:
    """One process, confined, that has not seen any code yet. It ends with ``CodeServer.fork``."""

    def __init__(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, limits: CodeLimits
    ) -> None:
        self._reader = reader
        self._writer = writer
        self._limits = limits
        self.protections: Report = {}
        self.closed_itself = False
        self.cpu_s = 0.0
        self.peak_bytes = 0
        self.status = 0

    async def send(self, request: bytes) -> None:
        """Hand over the code and its tests; a process that is gone shows when it is read from."""
        with contextlib.suppress(ConnectionError):
            self._writer.write(frame(request))
            await self._writer.drain()

    async def read(self, wall_s: float) -> dict[str, Any]:
        """Its next reply, an object of any content; raises Ended."""
        try:
            payload = await asyncio.wait_for(self._read(), wall_s)
            reply = json.loads(payload, parse_constant=float)
            if not isinstance(reply, dict):
                raise ValueError("a reply is no object")
            return reply
        except TimeoutError:
            late = QueryError(kind=QueryErrorKind.TIMEOUT, message=f"over {wall_s:g} s")
            raise Ended(late) from None
        except (asyncio.IncompleteReadError, ConnectionError):
            self.closed_itself = True
            crash = QueryError(kind=QueryErrorKind.CRASH, message="its process ended")
            raise Ended(crash) from None
        except (ValueError, RecursionError) as error:
            garbage = QueryError(kind=QueryErrorKind.GARBAGE, message=f"no reply: {error}"[:300])
            raise Ended(garbage) from None

    def close(self) -> None:
        """Close our end."""
        self._writer.close()

    async def _read(self) -> bytes:
        (size,) = HEADER.unpack(await self._reader.readexactly(HEADER.size))
        if size > self._limits.result_bytes + _REPLY_SLACK_BYTES:
            raise ValueError(f"{size} bytes")
        return await self._reader.readexactly(size)


class CodeServer:
    """A warm interpreter that forks; one submission at a time. Make it with ``start``."""

    def __init__(
        self, process: "subprocess.Popen[bytes]", control: socket.socket, limits: CodeLimits
    ) -> None:
        self._process = process
        self._control = control
        self._limits = limits

    @classmethod
    async def start(cls, limits: CodeLimits) -> "CodeServer":
        """A server that is ready; raises Fatal where none can be started."""
        arguments = (asdict(limits),)
        process, control = spawn(_MODULE, arguments, flags=_FLAGS, environment=_ENVIRONMENT)
        server = cls(process, control, limits)
        try:
            await server._receive(HEADER.size + 2, _START_S)
        except ServerDied as error:
            server.kill()
            raise Fatal(
                f"the sandbox for code does not start ({error}); see why with: "
                f"{by_hand(_MODULE, arguments)}"
            ) from error
        except BaseException:
            server.kill()
            raise
        return server

    @property
    def pid(self) -> int:
        """Process id, for tests and status."""
        return self._process.pid

    @contextlib.asynccontextmanager
    async def fork(self) -> AsyncIterator[Submission]:
        """A fresh process, gone when this is left; raises ServerDied. After ServerDied or a
        cancellation the server must not be used again.
        """
        ours, theirs = socket.socketpair()
        with theirs:
            ours.setblocking(False)
            reader, writer = await asyncio.open_connection(sock=ours)
            submission = Submission(reader, writer, self._limits)
            try:
                socket.send_fds(self._control, [b"f"], [theirs.fileno()])
            except OSError as error:
                submission.close()
                raise ServerDied(str(error)) from error
        try:
            try:
                ready = await submission.read(_FORK_S)
            except Ended as error:
                raise ServerDied(f"it does not fork: {error}") from error
            submission.protections = {str(name): str(state) for name, state in ready.items()}
            yield submission
            await self._bury(submission)
        finally:
            submission.close()

    def kill(self) -> None:
        """End the server now, and with it the submission that runs in it."""
        self._control.close()
        self._process.kill()
        self._process.wait()

    async def _bury(self, submission: Submission) -> None:
        try:
            self._control.send(b"k")
        except OSError as error:
            raise ServerDied(str(error)) from error
        raw = await self._receive(OBITUARY.size, _FORK_S)
        submission.status, submission.cpu_s, peak_kib = OBITUARY.unpack(raw)
        submission.peak_bytes = peak_kib * 1024

    async def _receive(self, size: int, wall_s: float) -> bytes:
        loop = asyncio.get_running_loop()
        received = bytearray()
        try:
            while len(received) < size:
                wait = loop.sock_recv(self._control, size - len(received))
                part = await asyncio.wait_for(wait, wall_s)
                if not part:
                    raise ServerDied("it ended")
                received += part
        except TimeoutError:
            raise ServerDied(f"silent for {wall_s:g} s") from None
        except OSError as error:
            raise ServerDied(str(error)) from error
        return bytes(received)


def death(submission: Submission, error: QueryError) -> QueryError:
    """The error once it is known how the process ended."""
    if error.kind is not QueryErrorKind.CRASH:
        return error
    status = submission.status
    if os.WIFSIGNALED(status):
        number = os.WTERMSIG(status)
        if number == signal.SIGXCPU:
            return QueryError(kind=QueryErrorKind.TIMEOUT, message="out of CPU time")
        if number == signal.SIGKILL:
            return QueryError(kind=error.kind, message="it closed its connection")
        return QueryError(kind=error.kind, message=f"ended by signal {number}")
    return QueryError(kind=error.kind, message=f"it exited with {os.WEXITSTATUS(status)}")
