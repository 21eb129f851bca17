"""Results of golden queries, each run once and once more to see that it says the same."""

import asyncio
from collections import OrderedDict
from dataclasses import dataclass

from sqlglot import exp

from streams.verify.databases import Readable
from streams.verify.gate_cache import GateCache
from streams.verify.gold_order import is_ordered, order_keys, ties
from streams.verify.result_match import GoldResult, Match, Matched, tells_nothing
from streams.verify.result_rows import Tolerance
from streams.verify.sandbox.database import Database
from streams.verify.sandbox.pool import SandboxPool
from streams.verify.sandbox.result import QueryResult
from streams.verify.semantics import Semantics
from streams.verify.sql_gate import Rejection

# A result is at most 10,001 rows, usually a few: some hundred bytes each.
_KEPT = 20_000


class GoldFailed(Exception):
    """The golden query itself is rejected or does not run; the text says why."""


@dataclass(frozen=True, kw_only=True)
class GoldQuery:
    """A golden query that the gate let pass, as it is run."""

    sql: str
    tree: exp.Expr


class GoldRuns:
    """Runs golden queries on a database, the project's own or a copy of it."""

    def __init__(
        self, pool: SandboxPool, gate: GateCache, semantics: Semantics, tolerance: Tolerance
    ) -> None:
        self._pool = pool
        self._gate = gate
        self._semantics = semantics
        self._tolerance = tolerance

    def gate(self, readable: Readable, sql: str) -> GoldQuery:
        """The query as the semantics prepares it; raises GoldFailed where it may not run."""
        gated = self._gate.gate(readable, sql)
        if isinstance(gated, Rejection):
            raise GoldFailed(f"the golden query is rejected: {gated}")
        return GoldQuery(sql=gated.sql, tree=gated.tree)

    async def run(self, database: Database, query: GoldQuery) -> GoldResult:
        """What it gives; raises GoldFailed."""
        result = await self._pool.run(database, query.sql)
        if result.error is not None:
            raise GoldFailed(f"the golden query fails: {result.error.message}")
        plain = GoldResult(result=result, ordered_text="order by" in query.sql.lower())
        if not is_ordered(query.tree):
            return plain
        runs = await self._ties(database, query, plain)
        return GoldResult(result=result, ties=runs, ordered_text=plain.ordered_text)

    def compare(self, gold: GoldResult, other: QueryResult) -> Matched:
        """By the semantics in force."""
        return self._semantics.compare(gold, other, self._tolerance)

    def is_untold(self, gold: GoldResult) -> bool:
        """Whether equality with this result would show nothing, whatever the semantics says."""
        return tells_nothing(gold.result.rows) or gold.result.truncated

    async def run_twice(self, database: Database, query: GoldQuery) -> GoldResult:
        """What it gives; raises GoldFailed where it gives something else the second time."""
        gold = await self.run(database, query)
        again = await self._pool.run(database, query.sql)
        if again.error is not None:
            raise GoldFailed(f"the golden query runs once and then fails: {again.error.message}")
        matched = self.compare(gold, again)
        if matched.match is Match.DIFFERENT:
            raise GoldFailed(
                f"the golden query is not deterministic: run twice, {matched.reason}; "
                "take random functions, samples and LIMIT without ORDER BY out of it and its views"
            )
        return gold

    async def _ties(
        self, database: Database, query: GoldQuery, plain: GoldResult
    ) -> tuple[int, ...]:
        """Runs of tied rows; every row its own where the keys cannot be seen."""
        rows = plain.result.rows
        strict = (1,) * len(rows)
        if self._semantics.name != "result_match" or len(rows) < 2:
            return strict
        keys = order_keys(query.tree, database.dialect)
        if keys is None:
            return strict
        if keys.added:
            result = await self._pool.run(database, keys.sql)
            if tuple(row[: -keys.added] for row in result.rows) != rows:
                return strict
            rows = result.rows
        return ties(rows, keys.positions)


class GoldResults:
    """Golden results by database and query; many answers may wait for one run."""

    def __init__(self, runs: GoldRuns) -> None:
        self._runs = runs
        self._results: OrderedDict[tuple[str, str], asyncio.Task[GoldResult]] = OrderedDict()

    async def get(self, readable: Readable, sql: str, state: str = "") -> GoldResult:
        """The golden result, of the same state of the database as the answer's; raises GoldFailed,
        also where the database changed between the two.
        """
        gold = await self._kept(readable, sql)
        if gold.result.state != state:
            self._results.pop((readable.database.path, sql), None)
            gold = await self._kept(readable, sql)
        if gold.result.state != state:
            raise GoldFailed(
                "the database changed between the answer's query and the golden one; "
                "verify on a replica whose replay is paused, or on a snapshot"
            )
        return gold

    async def _kept(self, readable: Readable, sql: str) -> GoldResult:
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
        query = self._runs.gate(readable, sql)
        return await self._runs.run_twice(readable.database, query)
