"""A warm child per core; whatever a query does to its child, the next query gets a good one."""

import asyncio
import os
from collections.abc import Sequence
from types import TracebackType

from schemas.errors import Fatal
from streams.verify.sandbox.database import Database
from streams.verify.sandbox.limits import Limits
from streams.verify.sandbox.process import Child, ChildDied
from streams.verify.sandbox.result import QueryError, QueryErrorKind, QueryResult

# A child can also die of something else (the kernel out of memory, a person); the same query
# killing two in a row is the query's doing.
_ATTEMPTS = 2


class SandboxPool:
    """Runs queries in child processes, as many at a time as there are children.

    Children start with the first query. Use it from one event loop, and close it.
    """

    def __init__(
        self,
        *,
        size: int | None = None,
        limits: Limits | None = None,
        dialects: Sequence[str] = ("duckdb", "sqlite"),
    ) -> None:
        self.limits = limits or Limits()
        self.protections: dict[str, str] = {}
        self._size = size or os.cpu_count() or 1
        self._dialects = tuple(dialects)
        # None stands for a child that is still to be started.
        self._idle: asyncio.Queue[Child | None] | None = None
        self._children: set[Child] = set()
        self._starts: set[asyncio.Task[None]] = set()

    async def __aenter__(self) -> "SandboxPool":
        await self.start()
        return self

    async def __aexit__(
        self,
        _type: type[BaseException] | None,
        _error: BaseException | None,
        _trace: TracebackType | None,
    ) -> None:
        await self.aclose()

    async def start(self) -> None:
        """Start the children, all at once; raises Fatal where they cannot be had."""
        if self._idle is None:
            self._idle = asyncio.Queue()
            starts = (self._start_child() for _ in range(self._size))
            started = await asyncio.gather(*starts, return_exceptions=True)
            for child in started:
                # whoever takes a None tries again, and hears why it fails
                self._idle.put_nowait(child if isinstance(child, Child) else None)
            for failure in started:
                if isinstance(failure, BaseException):
                    raise failure

    async def run(self, database: Database, sql: str) -> QueryResult:
        """The result of one query. Every failure is in the result; raises only Fatal, where no
        child can be started any more.
        """
        if len(sql.encode("utf-8", "replace")) > self.limits.sql_bytes:
            message = f"the query is over {self.limits.sql_bytes} bytes"
            return QueryResult(error=QueryError(kind=QueryErrorKind.TOO_LARGE, message=message))
        return await self._ask(database, sql)

    async def schema(self, database: Database) -> dict[str, frozenset[str]] | QueryError:
        """Tables and views of the database with their columns, all lower case."""
        result = await self._ask(database, None)
        if result.error is not None:
            return result.error
        tables: dict[str, set[str]] = {}
        for table, column in result.rows:
            tables.setdefault(str(table).lower(), set()).add(str(column).lower())
        return {table: frozenset(columns) for table, columns in tables.items()}

    async def aclose(self) -> None:
        """Kill the children."""
        for task in self._starts:
            task.cancel()
        await asyncio.gather(*self._starts, return_exceptions=True)
        for child in self._children:
            child.kill()
        self._children.clear()
        self._idle = None

    async def _ask(self, database: Database, sql: str | None) -> QueryResult:
        result = QueryResult()
        for _ in range(_ATTEMPTS):
            try:
                return await self._ask_once(database, sql)
            except ChildDied as death:
                kind = QueryErrorKind.TIMEOUT if death.late else QueryErrorKind.CRASH
                result = QueryResult(error=QueryError(kind=kind, message=str(death)))
                if death.late:
                    break
        return result

    async def _ask_once(self, database: Database, sql: str | None) -> QueryResult:
        await self.start()
        assert self._idle is not None
        idle = self._idle
        child = await idle.get()
        healthy = False
        try:
            if child is None:
                child = await self._start_child()
            result = await child.ask(database, sql)
            healthy = result.error is None or result.error.kind is not QueryErrorKind.GARBAGE
            return result
        finally:
            if healthy:
                idle.put_nowait(child)
            else:  # also when cancelled: it is in the middle of a query
                self._replace(child, idle)

    async def _start_child(self) -> Child:
        child = await Child.start(self.limits, self._dialects)
        self._children.add(child)
        self.protections = child.protections
        return child

    def _replace(self, child: Child | None, idle: "asyncio.Queue[Child | None]") -> None:
        if child is not None:
            child.kill()
            self._children.discard(child)
        task = asyncio.create_task(self._refill(idle))
        self._starts.add(task)
        task.add_done_callback(self._starts.discard)

    async def _refill(self, idle: "asyncio.Queue[Child | None]") -> None:
        try:
            idle.put_nowait(await self._start_child())
        except (Fatal, OSError):
            idle.put_nowait(None)
