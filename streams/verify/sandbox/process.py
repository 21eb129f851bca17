"""The parent's end of one child process."""

import asyncio
import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from schemas.errors import Fatal
from streams.verify.sandbox.database import Database
from streams.verify.sandbox.frame import HEADER, frame
from streams.verify.sandbox.limits import Limits
from streams.verify.sandbox.result import (
    QueryError,
    QueryErrorKind,
    QueryResult,
    Row,
)
from streams.verify.sandbox.values import load_rows

_ROOT = Path(__file__).parents[3]
_MODULE = "streams.verify.sandbox.child"
# A child imports DuckDB in 0.3 s; a machine under full load has been seen to take ten times that.
_START_S = 30.0
# The child's own clock ends a query at the wall limit; this is for one that stopped that clock.
_GRACE_S = 1.0
# Rows are limited in the child; the head and JSON's brackets come on top.
_FRAME_SLACK_BYTES = 4 * 1024**2


class ChildDied(Exception):
    """The child is gone; ``late`` where a clock ended it."""

    def __init__(self, message: str, *, late: bool) -> None:
        super().__init__(message)
        self.late = late


class Child:
    """A confined process that runs one query at a time. Make it with ``start``."""

    def __init__(
        self,
        process: "subprocess.Popen[bytes]",
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        limits: Limits,
    ) -> None:
        self._process = process
        self._reader = reader
        self._writer = writer
        self._limits = limits
        self.protections: dict[str, str] = {}

    @classmethod
    async def start(cls, limits: Limits, dialects: Sequence[str]) -> "Child":
        """A child that is ready for its first query; raises Fatal where none can be started."""
        ours, theirs = socket.socketpair()
        with theirs:
            process = subprocess.Popen(  # does not block: exec reports within a millisecond
                [
                    *(sys.executable, "-E", "-s", "-B", "-m", _MODULE),
                    *(str(theirs.fileno()), str(os.getpid()), json.dumps(asdict(limits))),
                    *dialects,
                ],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                pass_fds=[theirs.fileno()],
                env={},
                cwd=_ROOT,
                start_new_session=True,
            )
        ours.setblocking(False)
        reader, writer = await asyncio.open_connection(sock=ours)
        child = cls(process, reader, writer, limits)
        try:
            ready = await asyncio.wait_for(child._read(), _START_S)
            child.protections = dict(json.loads(ready)["protections"])
        except (TimeoutError, ChildDied, ValueError, KeyError, TypeError) as error:
            child.kill()
            raise Fatal(
                f"the SQL sandbox does not start ({error}); "
                f"see why with: {sys.executable} -m {_MODULE} 0 0 '{{}}'"
            ) from error
        except BaseException:
            child.kill()
            raise
        return child

    @property
    def pid(self) -> int:
        """Process id, for tests and status."""
        return self._process.pid

    async def ask(self, database: Database, sql: str | None) -> QueryResult:
        """Run ``sql`` (None: list tables and columns); raises ChildDied, and after it, or after a
        GARBAGE result or a cancellation, the child must not be used again.
        """
        request = {
            "dialect": database.dialect,
            "path": database.path,
            "tables": sorted(database.tables),
            "sql": sql,
        }
        try:
            self._writer.write(frame(json.dumps(request).encode("ascii")))
            await self._writer.drain()
            payload = await asyncio.wait_for(self._read(), self._limits.wall_s + _GRACE_S)
        except TimeoutError:
            raise ChildDied(f"killed after {self._limits.wall_s} s", late=True) from None
        except OSError as error:
            raise ChildDied(f"the child is gone ({error})", late=False) from error
        return _result(payload)

    def kill(self) -> None:
        """End the process now and collect it."""
        self._writer.close()
        self._process.kill()
        self._process.wait()

    async def _read(self) -> bytes:
        try:
            (size,) = HEADER.unpack(await self._reader.readexactly(HEADER.size))
            if size > self._limits.result_bytes + _FRAME_SLACK_BYTES:
                return b"too large to be an answer"
            return await self._reader.readexactly(size)
        except (asyncio.IncompleteReadError, ConnectionError) as error:
            raise self._obituary() from error

    def _obituary(self) -> ChildDied:
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(timeout=1)  # its socket is closed: it is about to be gone
        code = self._process.returncode
        if code in (-signal.SIGALRM, -signal.SIGXCPU):
            return ChildDied(f"stopped after {self._limits.wall_s} s", late=True)
        return ChildDied(f"the child ended with {code}", late=False)


def _result(payload: bytes) -> QueryResult:
    """The child's reply, believed only as far as its types go."""
    try:
        reply: Any = json.loads(payload)
        if "error" in reply:
            kind, message = reply["error"]
            return QueryResult(error=QueryError(kind=QueryErrorKind(kind), message=str(message)))
        columns, truncated, duration_ms = reply["head"]
        rows: list[Row] = []
        for chunk in reply["chunks"]:
            rows.extend(load_rows(chunk))
        return QueryResult(
            columns=tuple(str(column) for column in columns),
            rows=tuple(rows),
            truncated=bool(truncated),
            duration_ms=float(duration_ms),
        )
    except (ValueError, TypeError, KeyError, RecursionError) as error:
        garbage = QueryError(kind=QueryErrorKind.GARBAGE, message=f"not an answer: {error}")
        return QueryResult(error=garbage)
