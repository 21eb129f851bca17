"""Children that read a replica: as ``SandboxPool``, of one server."""

import asyncio
import json
from dataclasses import asdict, dataclass, field

from schemas.errors import Fatal
from streams.verify.sandbox.database import Database
from streams.verify.sandbox.floor import SQL_FLOOR
from streams.verify.sandbox.frame import frame
from streams.verify.sandbox.interned import InternedRows
from streams.verify.sandbox.limits import Limits
from streams.verify.sandbox.process import Child, ChildDied
from streams.verify.sandbox.result import QueryError, QueryErrorKind, QueryResult
from streams.verify.sandbox.spawn import spawn

_MODULE = "streams.verify.sandbox.replica_child"
_START_S = 30.0
_ATTEMPTS = 2


@dataclass(frozen=True, kw_only=True)
class Replica:
    """Where a replica is: what its driver connects by, kept out of every text.

    Without ``driver`` it is Postgres, and ``dsn`` a libpq connection string or URI.
    """

    dsn: str = field(repr=False)
    schema: str
    driver: str = ""
    session: tuple[str, ...] = ()
    columns_query: str = ""
    state_query: str = ""


class ReplicaDown(Exception):
    """There is no connection to the server; the text says why."""


class ReplicaPool:
    """Runs queries on a replica, as many at a time as there are connections."""

    def __init__(self, replica: Replica, *, size: int, limits: Limits) -> None:
        self._replica = replica
        self._limits = limits
        self._slots = asyncio.Semaphore(size)
        self._free: list[Child] = []
        self._children: set[Child] = set()
        self._interned = InternedRows()
        self.protections: dict[str, str] = {}

    async def ask(self, database: Database, sql: str | None) -> QueryResult:
        """The result of one query (None: tables and columns). Every failure is in the result."""
        result = QueryResult()
        async with self._slots:
            for _ in range(_ATTEMPTS):
                try:
                    return await self._ask_once(database, sql)
                except ReplicaDown as down:
                    result = _failed(QueryErrorKind.DATABASE, f"no connection: {down}")
                except ChildDied as death:
                    if death.late:
                        return _failed(QueryErrorKind.TIMEOUT, str(death))
                    result = _failed(QueryErrorKind.CRASH, str(death))
        return result

    def close(self) -> None:
        """Kill the children, and with them the connections."""
        for child in self._children:
            child.kill()
        self._children.clear()
        self._free.clear()

    async def _ask_once(self, database: Database, sql: str | None) -> QueryResult:
        child = self._free.pop() if self._free else await self._start()
        healthy = False
        try:
            result = await child.ask(database, sql)
            broken = (QueryErrorKind.GARBAGE, QueryErrorKind.DATABASE)
            healthy = result.error is None or result.error.kind not in broken
            return result
        finally:
            if healthy:
                self._free.append(child)
            else:
                child.kill()
                self._children.discard(child)

    async def _start(self) -> Child:
        arguments = (asdict(self._limits),)
        process, ours = spawn(_MODULE, arguments, flags=("-E", "-s", "-B"), environment={})
        reader, writer = await asyncio.open_connection(sock=ours)
        child = Child(process, reader, writer, self._limits, interned=self._interned)
        try:
            writer.write(frame(json.dumps(asdict(self._replica)).encode("ascii")))
            ready = json.loads(await asyncio.wait_for(child._read(), _START_S))
            if "down" in ready:
                raise ReplicaDown(str(ready["down"]))
            child.protections = self.protections = dict(ready["protections"])
            SQL_FLOOR.require(child.protections)
        except (TimeoutError, ChildDied, ValueError, KeyError, TypeError) as error:
            child.kill()
            raise Fatal(f"the process that reads the replica does not start ({error})") from error
        except BaseException:
            child.kill()
            raise
        self._children.add(child)
        return child


def _failed(kind: QueryErrorKind, message: str) -> QueryResult:
    return QueryResult(error=QueryError(kind=kind, message=message))
