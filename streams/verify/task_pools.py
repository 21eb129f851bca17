"""Children that run one task other than SQL each, started when the task is first asked for."""

from collections.abc import Mapping

from schemas.records import CheckStatus
from streams.verify.check import Finding
from streams.verify.sandbox.limits import Limits
from streams.verify.sandbox.pool import SandboxPool
from streams.verify.sandbox.result import Json, QueryError, QueryErrorKind, TaskResult

# A document of 256 k characters, each escaped twice over, beside a schema as long.
_REQUEST_BYTES = 8 * 1024**2

# What the answer did to its child, in contrast to what went wrong without it.
_ANSWERS_DOING = frozenset({QueryErrorKind.TIMEOUT, QueryErrorKind.TOO_LARGE, QueryErrorKind.CRASH})


class TaskPools:
    """A sandbox pool a task: what SymPy needs to be imported, only those pay who check with it.

    Use it from one event loop, and close it.
    """

    def __init__(self, *, children: int | None, wall_s: float) -> None:
        """``children``: of each task; one per core where None."""
        self._children = children
        self._limits = Limits(wall_s=wall_s, request_bytes=_REQUEST_BYTES)
        self._pools: dict[str, SandboxPool] = {}

    async def call(self, task: str, request: Mapping[str, Json]) -> TaskResult:
        """As ``SandboxPool.call``; raises ValueError for a name that is no task."""
        if task not in self._pools:
            self._pools[task] = SandboxPool(
                size=self._children, limits=self._limits, dialects=(), tasks=[task]
            )
        return await self._pools[task].call(task, request)

    async def aclose(self) -> None:
        """End the children."""
        pools, self._pools = self._pools, {}
        for pool in pools.values():
            await pool.aclose()


def task_failed(error: QueryError) -> Finding:
    """The finding of a check whose task gave no value: an answer that takes too much fails."""
    status = CheckStatus.FAIL if error.kind in _ANSWERS_DOING else CheckStatus.ERROR
    return Finding(status=status, evidence=f"{error.kind.value}: {error.message}")
