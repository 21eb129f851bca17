"""Statements of a file, one JSON object a line, through gate and sandbox."""

import asyncio
import json
import time
from collections import deque
from collections.abc import AsyncIterator, Iterable, Iterator
from typing import Literal

from schemas.errors import ConfigError
from schemas.records import Record
from streams.verify.databases import Readable
from streams.verify.sandbox.pool import SandboxPool
from streams.verify.sql_gate import Rejection, gate_sql

# Statements under way at a time: enough that no child of the pool waits for the gate.
_WINDOW = 16

Id = str | int | float | bool | None


class Statement(Record):
    """One line of the input. ``id`` is given back as it came, and need not be unique."""

    id: Id
    sql: str


class StatementVerdict(Record):
    """One line of the output.

    ``stage`` is what decided: the gate, the execution, or ``error`` where the sandbox could not
    tell, which is no acceptance. ``reason`` is empty where the statement is accepted.
    """

    id: Id
    accepted: bool
    stage: Literal["gate", "execution", "error"]
    reason: str
    ms: float

    def line(self) -> str:
        """As JSON in ASCII: an id or a reason may hold what is no UTF-8."""
        return json.dumps({**dict(self), "ms": round(self.ms, 3)})


def read_statements(raw: bytes, name: str) -> Iterator[Statement]:
    """The statements of a JSON Lines file; blank lines are skipped.

    What stands in a statement is for the gate to judge, NUL bytes and broken UTF-8 included.
    Raises ConfigError with the line number where a line is no ``{"id", "sql"}`` object.
    """
    for number, line in enumerate(raw.split(b"\n"), start=1):
        if line.strip():
            yield _statement(line.decode("utf-8", "surrogateescape"), f"{name}:{number}")


def _statement(line: str, place: str) -> Statement:
    wanted = 'write one object a line, {"id": …, "sql": "…"}'
    try:
        # not strict: control characters in a statement are its own fault, not the file's
        found = json.loads(line.lstrip("\ufeff"), strict=False)
    except (ValueError, RecursionError) as error:
        raise ConfigError(f"{place}: not JSON ({error}); {wanted}") from error
    if not isinstance(found, dict) or "id" not in found or "sql" not in found:
        raise ConfigError(f"{place}: no object with id and sql; {wanted}")
    if not isinstance(found["sql"], str):
        raise ConfigError(f"{place}: sql is not a text; {wanted}")
    if not isinstance(found["id"], Id):
        raise ConfigError(f"{place}: id is neither a text nor a number; {wanted}")
    return Statement.model_construct(id=found["id"], sql=found["sql"])


async def check_statements(
    statements: Iterable[Statement], readable: Readable, pool: SandboxPool
) -> AsyncIterator[StatementVerdict]:
    """A verdict for each statement, in order, several under way at a time."""
    under_way: deque[asyncio.Task[StatementVerdict]] = deque()
    try:
        for statement in statements:
            under_way.append(asyncio.create_task(check_statement(statement, readable, pool)))
            if len(under_way) >= _WINDOW:
                yield await under_way.popleft()
        while under_way:
            yield await under_way.popleft()
    finally:
        for task in under_way:
            task.cancel()


async def check_statement(
    statement: Statement, readable: Readable, pool: SandboxPool
) -> StatementVerdict:
    """Gate one statement and, where it may run, run it."""
    started = time.perf_counter()
    stage: Literal["gate", "execution", "error"] = "gate"
    gated = gate_sql(statement.sql, dialect=readable.database.dialect, tables=readable.tables)
    if isinstance(gated, Rejection):
        reason = str(gated)
    else:
        result = await pool.run(readable.database, gated.sql)
        stage, reason = "execution", ""
        if result.error is not None:
            reason = f"{result.error.kind.value}: {result.error.message}"
            if not result.error.is_the_querys:
                stage = "error"
    return StatementVerdict.model_construct(
        id=statement.id,
        accepted=not reason,
        stage=stage,
        reason=reason,
        ms=(time.perf_counter() - started) * 1000,
    )
