"""The child that reads a replica: connected first, confined then, and so without any network but
the one socket it holds.

Run as ``python -m streams.verify.sandbox.replica_child FD PARENT_PID LIMITS`` by the pool. The
first message says where to connect: an address with its password belongs in no command line.
"""

import json
import os
import signal
import socket
import sys
import time
from collections.abc import Generator
from contextlib import closing
from typing import Any, Protocol

from streams.verify.sandbox.child import failure
from streams.verify.sandbox.clock import arm, disarm
from streams.verify.sandbox.confine import give_up, leave_namespaces, limit_resources
from streams.verify.sandbox.frame import frame, read_frame
from streams.verify.sandbox.limits import Limits
from streams.verify.sandbox.result import QueryErrorKind
from streams.verify.sandbox.values import dump_rows


class Engine(Protocol):
    """One connection to a server."""

    timed_out: bool
    state: str

    @property
    def is_lost(self) -> bool: ...
    def schema(self) -> list[tuple[object, ...]]: ...
    def run(self, sql: str) -> tuple[tuple[str, ...], Generator[list[tuple[object, ...]]]]: ...


def answer(sql: str | None, engine: Engine, limits: Limits) -> bytes:
    """The reply to one request: a result, or the error in its place."""
    started = time.perf_counter()
    try:
        if sql is None:
            return _result(("table", "column"), False, started, [dump_rows(engine.schema())], "")
        columns, chunks = engine.run(sql)
        texts: list[str] = []
        rows = size = 0
        with closing(chunks):
            for chunk in chunks:
                left = limits.rows - rows
                texts.append(dump_rows(chunk[:left]))
                rows += min(len(chunk), left)
                size += len(texts[-1])
                if size > limits.result_bytes:
                    message = f"over {limits.result_bytes} bytes"
                    return failure(QueryErrorKind.TOO_LARGE, message)
                if rows >= limits.rows:
                    break
        return _result(columns, rows >= limits.rows, started, texts, engine.state)
    except MemoryError:
        return failure(QueryErrorKind.TOO_LARGE, "out of memory")
    except Exception as error:  # whatever the server says of a query is the query's failure
        kind = QueryErrorKind.TIMEOUT if engine.timed_out else QueryErrorKind.SQL
        if engine.is_lost:
            kind = QueryErrorKind.DATABASE
        return failure(kind, f"{type(error).__name__}: {error}")


def _result(
    columns: tuple[str, ...], truncated: bool, started: float, texts: list[str], state: str
) -> bytes:
    head = json.dumps([columns, truncated, (time.perf_counter() - started) * 1000, None, state])
    return f'{{"head":{head}}}\n[{",".join(texts)}]'.encode("ascii")


def _connect(request: dict[str, Any], limits: Limits) -> Engine | str:
    if request["driver"]:
        return _connect_by_driver(request)
    import psycopg

    from streams.verify.sandbox.postgres_engine import PostgresEngine

    try:
        return PostgresEngine(str(request["dsn"]), str(request["schema"]), limits)
    except (psycopg.Error, OSError) as error:
        # libpq's words name the host and user, never the password
        return f"{type(error).__name__}: {str(error).strip()}"


def _connect_by_driver(request: dict[str, Any]) -> Engine | str:
    from streams.verify.sandbox.dbapi_engine import DbApiEngine

    names = ("driver", "dsn", "session", "columns_query", "state_query")
    try:
        return DbApiEngine(**{name: request[name] for name in names})
    except OSError as error:
        return str(error)
    except Exception as error:
        # its words are the driver's, and may hold the connection string
        return f"{request['driver']} raised {type(error).__name__}"


def main(arguments: list[str]) -> None:
    """Serve the socket until the parent closes it or the connection is lost."""
    connection = socket.socket(fileno=int(arguments[0]))
    limits = Limits(**json.loads(arguments[2]))
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    engine = _connect(json.loads(read_frame(connection) or b"{}"), limits)
    if isinstance(engine, str):
        connection.sendall(frame(json.dumps({"down": engine}).encode("ascii")))
        return
    protections = leave_namespaces() | limit_resources(
        address_space_bytes=limits.address_space_bytes, file_bytes=0, open_files=limits.open_files
    )
    os.chdir("/")
    protections |= give_up(parent_pid=int(arguments[1]), readable=(), threads=True)
    connection.sendall(frame(json.dumps({"protections": protections}).encode("ascii")))
    while not engine.is_lost and (payload := read_frame(connection)) is not None:
        arm(limits)
        reply = answer(json.loads(payload)["sql"], engine, limits)
        disarm()
        connection.sendall(frame(reply))


if __name__ == "__main__":
    main(sys.argv[1:])
