"""A warm child per core; whatever a query does to its child, the next query gets a good one."""

import asyncio
import os
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import TypeVar

from schemas.errors import Fatal
from streams.verify.sandbox.database import Database
from streams.verify.sandbox.floor import SQL_FLOOR, Floor
from streams.verify.sandbox.interned import InternedRows
from streams.verify.sandbox.limits import Limits
from streams.verify.sandbox.process import Child, ChildDied, task_request
from streams.verify.sandbox.readable import ReadablePaths
from streams.verify.sandbox.replica_pool import ReplicaPool
from streams.verify.sandbox.result import Json, QueryError, QueryErrorKind, QueryResult, TaskResult
from streams.verify.sandbox.tasks import task_modules

# A child can also die of something else (the kernel out of memory, a person); the same query
# killing two in a row is the query's doing.
_ATTEMPTS = 2

_Result = TypeVar("_Result", QueryResult, TaskResult)


class SandboxPool:
    """Runs queries and tasks in child processes, as many at a time as there are children.

    Children start with the first request. Use it from one event loop, and close it. ``tasks`` are
    names out of ``sandbox.tasks.TASKS``; a task that is not listed here cannot be called.
    ``readable`` are the files, and folders with all below them, that children may read; a database
    beside them is added when a query names it, which costs each child a restart.
    """

    def __init__(
        self,
        *,
        size: int | None = None,
        limits: Limits | None = None,
        dialects: Sequence[str] = ("duckdb", "sqlite"),
        tasks: Sequence[str] = (),
        readable: Sequence[str] = (),
        floor: Floor = SQL_FLOOR,
    ) -> None:
        """Raises ValueError where a name is no task."""
        self.limits = limits or Limits()
        self.protections: dict[str, str] = {}
        self._size = size or os.cpu_count() or 1
        self._dialects = tuple(dialects)
        self._tasks = task_modules(tasks)
        self._readable = ReadablePaths(readable)
        self._floor = floor
        self._interned = InternedRows()
        self.replicas: dict[str, ReplicaPool] = {}
        """Pools of the databases that are no files, by the path under which they are asked for."""
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

    def allow(self, folder: Path) -> None:
        """Let queries name databases in this folder too, without a restart of children for each."""
        self._readable.add(str(folder))

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

    async def run_each(self, databases: Sequence[Database], sql: str) -> list[QueryResult]:
        """The result of one query on each of the databases; cheaper than one run for each."""
        small = len(sql.encode("utf-8", "replace")) <= self.limits.sql_bytes
        if small and databases and self.replicas.keys().isdisjoint(one.path for one in databases):
            entries = [self._readable.entry_of(one.path) for one in databases]
            with suppress(ChildDied):  # whose fault it is shows when each runs by itself
                return await self._once(lambda child: child.ask_each(databases, sql), entries)
        return [await self.run(database, sql) for database in databases]

    async def call(self, task: str, request: Mapping[str, Json]) -> TaskResult:
        """What a task returns for this request. Every failure is in the result; raises Fatal, where
        no child can be started any more, and ValueError for a task the pool was not made with.
        """
        if task not in self._tasks:
            raise ValueError(f"this pool was not made with the task {task}")
        payload = task_request(task, request)
        if len(payload) > self.limits.request_bytes:
            message = f"the request is over {self.limits.request_bytes} bytes"
            return TaskResult(error=QueryError(kind=QueryErrorKind.TOO_LARGE, message=message))
        return await self._retry(lambda child: child.call(payload), TaskResult)

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
        for replica in self.replicas.values():
            replica.close()
        self._children.clear()
        self._idle = None

    async def _ask(self, database: Database, sql: str | None) -> QueryResult:
        if database.path in self.replicas:
            return await self.replicas[database.path].ask(database, sql)
        entries = [self._readable.entry_of(database.path)]
        return await self._retry(lambda child: child.ask(database, sql), QueryResult, entries)

    async def _retry(
        self,
        ask: Callable[[Child], Awaitable[_Result]],
        failed: type[_Result],
        entries: Sequence[str] = (),
    ) -> _Result:
        result = failed()

        async def ask_one(child: Child) -> list[_Result]:
            return [await ask(child)]

        for _ in range(_ATTEMPTS):
            try:
                (result,) = await self._once(ask_one, entries)
                return result
            except ChildDied as death:
                kind = QueryErrorKind.TIMEOUT if death.late else QueryErrorKind.CRASH
                result = failed(error=QueryError(kind=kind, message=str(death)))
                if death.late:
                    break
        return result

    async def _once(
        self, ask: Callable[[Child], Awaitable[list[_Result]]], entries: Sequence[str]
    ) -> list[_Result]:
        await self.start()
        assert self._idle is not None
        idle = self._idle
        child = await idle.get()
        healthy = False
        try:
            if child is not None and any(
                self._readable.has_grown(entry, child.readable) for entry in entries
            ):
                self._end(child)
                child = None
            if child is None:
                child = await self._start_child()
            results = await ask(child)
            kinds = {result.error.kind for result in results if result.error is not None}
            healthy = QueryErrorKind.GARBAGE not in kinds
            return results
        finally:
            if healthy:
                idle.put_nowait(child)
            else:  # also when cancelled: it is in the middle of a request
                self._replace(child, idle)

    async def _start_child(self) -> Child:
        child = await Child.start(
            self.limits, self._dialects, self._tasks, self._readable.paths, self._interned
        )
        self._children.add(child)
        self.protections = child.protections
        try:
            self._floor.require(child.protections)
        except Fatal:
            self._end(child)
            raise
        return child

    def _end(self, child: Child) -> None:
        child.kill()
        self._children.discard(child)

    def _replace(self, child: Child | None, idle: "asyncio.Queue[Child | None]") -> None:
        if child is not None:
            self._end(child)
        task = asyncio.create_task(self._refill(idle))
        self._starts.add(task)
        task.add_done_callback(self._starts.discard)

    async def _refill(self, idle: "asyncio.Queue[Child | None]") -> None:
        try:
            idle.put_nowait(await self._start_child())
        except (Fatal, OSError):
            idle.put_nowait(None)
