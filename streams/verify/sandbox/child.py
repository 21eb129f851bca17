"""The child: one request after another from a socket, each under the kernel's clocks.

Run as ``python -m streams.verify.sandbox.child FD PARENT_PID LIMITS WORK`` by the pool; WORK says
which SQL dialects and which tasks will be asked for, and which files may be read. It imports only
what these need: it is started anew after every request that had to be killed.
"""

import importlib
import json
import os
import signal
import socket
import sqlite3
import sys
import time
from collections import OrderedDict
from typing import Any, Protocol

from streams.verify.sandbox.clock import arm, disarm
from streams.verify.sandbox.confine import give_up, leave_namespaces, limit_resources
from streams.verify.sandbox.frame import frame, read_frame
from streams.verify.sandbox.limits import Limits
from streams.verify.sandbox.peak_memory import PeakMemory
from streams.verify.sandbox.result import QueryErrorKind
from streams.verify.sandbox.tasks import Task, load_tasks
from streams.verify.sandbox.values import dump_rows

# Open databases: a Spider-like project has 20 to 200 small ones, and each holds a file open.
_OPEN_DATABASES = 24

# DuckDB asks for the memory limit of its container, and ends the process where it cannot.
_CONTAINER_LIMITS = ("/proc/self/cgroup", "/sys/fs/cgroup")


class Engine(Protocol):
    """One open database."""

    def schema(self) -> Any: ...
    def run(self, sql: str, tables: frozenset[str]) -> Any: ...
    def close(self) -> None: ...


class Engines:
    """The databases that are open, the longest unused closed first."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._open: OrderedDict[tuple[str, str], Engine] = OrderedDict()

    def get(self, dialect: str, path: str) -> Engine:
        """The open database; raises OSError where it cannot be opened."""
        key = (dialect, path)
        engine = self._open.pop(key, None) or self._connect(dialect, path)
        self._open[key] = engine
        if len(self._open) > _OPEN_DATABASES:
            self._open.popitem(last=False)[1].close()
        return engine

    def _connect(self, dialect: str, path: str) -> Engine:
        try:
            if dialect == "sqlite":
                from streams.verify.sandbox.sqlite_engine import SqliteEngine

                return SqliteEngine(path, self._limits)
            from streams.verify.sandbox.duckdb_engine import DuckdbEngine

            return DuckdbEngine(path, self._limits)
        except Exception as error:
            raise OSError(f"{type(error).__name__}: {error}") from error


def answer(request: dict[str, Any], engines: Engines, limits: Limits, peak: PeakMemory) -> bytes:
    """The reply to one request, as JSON."""
    started = time.perf_counter()
    peak.reset()
    try:
        engine = engines.get(request["dialect"], request["path"])
        if request["sql"] is None:
            return dump_head(
                ("table", "column"), False, started, [dump_rows(engine.schema())], peak
            )
        columns, chunks = engine.run(request["sql"], frozenset(request["tables"]))
        texts: list[str] = []
        rows = size = 0
        for chunk in chunks:
            left = limits.rows - rows
            texts.append(dump_rows(chunk[:left]))
            rows += min(len(chunk), left)
            size += len(texts[-1])
            if size > limits.result_bytes:
                return failure(QueryErrorKind.TOO_LARGE, f"over {limits.result_bytes} bytes")
            if rows >= limits.rows:
                return dump_head(columns, True, started, texts, peak)
        return dump_head(columns, False, started, texts, peak)
    except OSError as error:
        kind = (
            QueryErrorKind.REJECTED
            if isinstance(error, PermissionError)
            else QueryErrorKind.DATABASE
        )
        return failure(kind, str(error))
    except MemoryError:
        return failure(QueryErrorKind.TOO_LARGE, "out of memory")
    except sqlite3.OperationalError as error:
        late = "interrupted" in str(error)
        return failure(QueryErrorKind.TIMEOUT if late else QueryErrorKind.SQL, str(error))
    except Exception as error:  # whatever an engine throws at a query is the query's failure
        return failure(QueryErrorKind.SQL, f"{type(error).__name__}: {error}")


def perform(request: dict[str, Any], tasks: dict[str, Task], limits: Limits) -> bytes:
    """The reply of a task other than SQL, as JSON."""
    started = time.perf_counter()
    try:
        value = json.dumps(tasks[request["task"]](request["request"]), allow_nan=False)
    except MemoryError:
        return failure(QueryErrorKind.TOO_LARGE, "out of memory")
    except Exception as error:  # whatever a task raises at its request is the request's failure
        return failure(QueryErrorKind.TASK, f"{type(error).__name__}: {error}")
    if len(value) > limits.result_bytes:
        return failure(QueryErrorKind.TOO_LARGE, f"over {limits.result_bytes} bytes")
    duration_ms = (time.perf_counter() - started) * 1000
    return f'{{"value":{value},"duration_ms":{duration_ms}}}'.encode("ascii")


def dump_head(
    columns: tuple[str, ...],
    truncated: bool,
    started: float,
    texts: list[str],
    peak: PeakMemory,
) -> bytes:
    """A result: a line with its head, then the row chunks as they were dumped."""
    duration_ms = (time.perf_counter() - started) * 1000
    head = json.dumps([columns, truncated, duration_ms, peak.kib()])
    return f'{{"head":{head}}}\n[{",".join(texts)}]'.encode("ascii")


def failure(kind: QueryErrorKind, message: str) -> bytes:
    """An error in place of a result."""
    return json.dumps({"error": [kind.value, message[:1000]]}).encode("ascii")


def main(arguments: list[str]) -> None:
    """Serve the socket until the parent closes it."""
    connection = socket.socket(fileno=int(arguments[0]))
    limits = Limits(**json.loads(arguments[2]))
    work = json.loads(arguments[3])
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    protections = leave_namespaces() | limit_resources(
        address_space_bytes=limits.address_space_bytes, file_bytes=0, open_files=limits.open_files
    )
    # Paid here, not by the first query's clock, and while files can still be read.
    for dialect in work["dialects"]:
        importlib.import_module(f"streams.verify.sandbox.{dialect}_engine")
    tasks = load_tasks(work["tasks"])
    peak = PeakMemory()
    os.chdir("/")
    readable = [*_CONTAINER_LIMITS, *work["readable"]]
    protections |= give_up(parent_pid=int(arguments[1]), readable=readable, threads=True)
    connection.sendall(frame(json.dumps({"protections": protections}).encode("ascii")))
    engines = Engines(limits)
    while (payload := read_frame(connection)) is not None:
        arm(limits)
        request = json.loads(payload)
        if "task" in request:
            reply = perform(request, tasks, limits)
        else:
            reply = answer(request, engines, limits, peak)
        disarm()
        connection.sendall(frame(reply))


if __name__ == "__main__":
    main(sys.argv[1:])
