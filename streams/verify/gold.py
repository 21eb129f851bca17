"""Results of golden queries, each run once."""

import asyncio
from collections import OrderedDict

from streams.verify.databases import Readable
from streams.verify.gold_order import is_ordered, order_keys, ties
from streams.verify.result_match import GoldResult
from streams.verify.sandbox.pool import SandboxPool
from streams.verify.semantics import Semantics
from streams.verify.sql_gate import GatedSql, Rejection, gate_sql

# A result is at most 10,001 rows, usually a few: some hundred bytes each.
_KEPT = 20_000


class GoldFailed(Exception):
    """The golden query itself is rejected or does not run; the text says why."""


class GoldResults:
    """Golden results by database and query; many answers may wait for one run."""

    def __init__(self, pool: SandboxPool, semantics: Semantics) -> None:
        self._pool = pool
        self._semantics = semantics
        self._results: OrderedDict[tuple[str, str], asyncio.Task[GoldResult]] = OrderedDict()

    async def get(self, readable: Readable, sql: str) -> GoldResult:
        """The golden result; raises GoldFailed."""
        key = (readable.database.path, sql)
        task = self._results.get(key)
        if task is None:
            task = asyncio.create_task(self._run(readable, sql))
            self._results[key] = task
            if len(self._results) > _KEPT:
                self._results.popitem(last=False)
        else:
            self._results.move_to_end(key)
        try:
            # Shielded: that one who waits gives up must not fail the others.
            return await asyncio.shield(task)
        except BaseException:
            if task.done():
                self._results.pop(key, None)  # a failure may pass: it is not kept
            raise

    async def _run(self, readable: Readable, sql: str) -> GoldResult:
        dialect = readable.database.dialect
        gated = gate_sql(
            self._semantics.prepare(sql, dialect), dialect=dialect, tables=readable.tables
        )
        if isinstance(gated, Rejection):
            raise GoldFailed(f"the golden query is rejected: {gated}")
        result = await self._pool.run(readable.database, gated.sql)
        if result.error is not None:
            raise GoldFailed(f"the golden query fails: {result.error.message}")
        plain = GoldResult(result=result, ordered_text="order by" in gated.sql.lower())
        if not is_ordered(gated.tree):
            return plain
        runs = await self._ties(readable, gated, plain)
        return GoldResult(result=result, ties=runs, ordered_text=plain.ordered_text)

    async def _ties(
        self, readable: Readable, gated: GatedSql, plain: GoldResult
    ) -> tuple[int, ...]:
        """Runs of tied rows; every row its own where the keys cannot be seen."""
        rows = plain.result.rows
        strict = (1,) * len(rows)
        if self._semantics.name != "result_match" or len(rows) < 2:
            return strict
        keys = order_keys(gated.tree, readable.database.dialect)
        if keys is None:
            return strict
        if keys.added:
            result = await self._pool.run(readable.database, keys.sql)
            if tuple(row[: -keys.added] for row in result.rows) != rows:
                return strict
            rows = result.rows
        return ties(rows, keys.positions)
