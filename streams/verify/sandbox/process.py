"""The parent's end of one child process."""

import asyncio
import contextlib
import json
import signal
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from schemas.errors import Fatal
from streams.verify.sandbox.database import Database
from streams.verify.sandbox.frame import HEADER, frame
from streams.verify.sandbox.interned import InternedRows
from streams.verify.sandbox.limits import Limits
from streams.verify.sandbox.result import (
    Json,
    QueryError,
    QueryErrorKind,
    QueryResult,
    Row,
    TaskResult,
)
from streams.verify.sandbox.spawn import by_hand, spawn
from streams.verify.sandbox.values import load_rows

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
        readable: frozenset[str] = frozenset(),
        interned: InternedRows | None = None,
    ) -> None:
        self.readable = readable
        self._process = process
        self._interned = interned or InternedRows()
        self._reader = reader
        self._writer = writer
        self._limits = limits
        self.protections: dict[str, str] = {}

    @classmethod
    async def start(
        cls,
        limits: Limits,
        dialects: Sequence[str],
        tasks: Mapping[str, str],
        readable: frozenset[str],
        interned: InternedRows | None = None,
    ) -> "Child":
        """A child that is ready for its first request; raises Fatal where none can be started.

        ``tasks`` are the modules of the tasks it will be asked for, by name; ``readable`` the files
        and folders it may read, beside Python's own.
        """
        work = {"dialects": list(dialects), "tasks": dict(tasks), "readable": sorted(readable)}
        arguments = (asdict(limits), work)
        process, ours = spawn(_MODULE, arguments, flags=("-E", "-s", "-B"), environment={})
        reader, writer = await asyncio.open_connection(sock=ours)
        child = cls(process, reader, writer, limits, readable, interned)
        try:
            ready = await asyncio.wait_for(child._read(), _START_S)
            child.protections = dict(json.loads(ready)["protections"])
        except (TimeoutError, ChildDied, ValueError, KeyError, TypeError) as error:
            child.kill()
            raise Fatal(
                f"the sandbox does not start ({error}); see why with: {by_hand(_MODULE, arguments)}"
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
        (result,) = await self.ask_each([database], sql)
        return result

    async def ask_each(self, databases: Sequence[Database], sql: str | None) -> list[QueryResult]:
        """The same on several databases, one after another, sent as one piece."""
        payloads = await self._exchange([_request(database, sql) for database in databases])
        return [_result(payload, self._interned) for payload in payloads]

    async def call(self, request: bytes) -> TaskResult:
        """Run a task, given as ``task_request`` makes it; raises as ``ask`` does."""
        (payload,) = await self._exchange([request])
        return _task_result(payload)

    def kill(self) -> None:
        """End the process now and collect it."""
        self._writer.close()
        self._process.kill()
        self._process.wait()

    async def _exchange(self, requests: Sequence[bytes]) -> list[bytes]:
        replies: list[bytes] = []
        try:
            # Not drained: what is not sent yet is sent while the first answers are read.
            self._writer.write(b"".join(map(frame, requests)))
            for _ in requests:
                reply = await asyncio.wait_for(self._read(), self._limits.wall_s + _GRACE_S)
                replies.append(reply)
        except TimeoutError:
            raise ChildDied(f"killed after {self._limits.wall_s} s", late=True) from None
        except OSError as error:
            raise ChildDied(f"the child is gone ({error})", late=False) from error
        return replies

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


def task_request(task: str, request: Mapping[str, Json]) -> bytes:
    """The request as it is sent; raises ValueError or TypeError where it is no finite JSON."""
    return json.dumps({"task": task, "request": request}, allow_nan=False).encode("ascii")


def _request(database: Database, sql: str | None) -> bytes:
    request = {
        "dialect": database.dialect,
        "path": database.path,
        "tables": sorted(database.tables),
        "sql": sql,
    }
    return json.dumps(request).encode("ascii")


def _result(payload: bytes, interned: InternedRows) -> QueryResult:
    """The child's reply, believed only as far as its types go."""
    try:
        head, _, chunks = payload.partition(b"\n")
        reply: Any = json.loads(head)
        if "error" in reply:
            return QueryResult(error=_error(reply["error"]))
        columns, truncated, duration_ms, peak_kib, *state = reply["head"]
        return QueryResult(
            columns=tuple(str(column) for column in columns),
            rows=interned.get(chunks, _rows),
            truncated=bool(truncated),
            duration_ms=float(duration_ms),
            peak_kib=None if peak_kib is None else int(peak_kib),
            state="".join(map(str, state)),
        )
    except (ValueError, TypeError, KeyError, RecursionError) as error:
        return QueryResult(error=_garbage(error))


def _task_result(payload: bytes) -> TaskResult:
    """As ``_result``, of a task."""
    try:
        reply: Any = json.loads(payload, parse_constant=_refuse_constant)
        if "error" in reply:
            return TaskResult(error=_error(reply["error"]))
        return TaskResult(value=reply["value"], duration_ms=float(reply["duration_ms"]))
    except (ValueError, TypeError, KeyError, RecursionError) as error:
        return TaskResult(error=_garbage(error))


def _error(reply: Any) -> QueryError:
    kind, message = reply
    return QueryError(kind=QueryErrorKind(kind), message=str(message))


def _garbage(error: Exception) -> QueryError:
    return QueryError(kind=QueryErrorKind.GARBAGE, message=f"not an answer: {error}")


def _refuse_constant(name: str) -> float:
    raise ValueError(f"{name} is no JSON")


def _rows(chunks: bytes) -> tuple[Row, ...]:
    return tuple(row for chunk in json.loads(chunks) for row in load_rows(chunk))
