"""The checks of an answer that is SQL, cheapest first: found, allowed, runs, gives gold's rows."""

from dataclasses import dataclass, replace

from schemas.records import CheckStatus
from streams.verify import result_match, sql_gate
from streams.verify.check import Finding, Subject
from streams.verify.databases import Databases
from streams.verify.gold import GoldFailed, GoldResults
from streams.verify.result_match import Match, row_count_agrees
from streams.verify.result_rows import Tolerance
from streams.verify.sandbox.pool import SandboxPool
from streams.verify.sandbox.result import QueryResult
from streams.verify.semantics import Semantics
from streams.verify.sql_gate import Rejection, gate_sql
from streams.verify.sql_text import extract_sql

_MATCH_STATUS = {
    Match.EQUAL: CheckStatus.PASS,
    Match.DIFFERENT: CheckStatus.FAIL,
    Match.UNTOLD: CheckStatus.INCONCLUSIVE,
}
_SHOWN_ROWS = 3
_SHOWN_CHARACTERS = 400


@dataclass(frozen=True, kw_only=True)
class SqlExtract:
    """The answer holds something that could be SQL."""

    hard: bool = True
    name: str = "sql_extract"
    version: str = "1"

    async def __call__(self, subject: Subject) -> Finding:
        found = extract_sql(subject.output)
        if found is None:
            return Finding(status=CheckStatus.FAIL, evidence="no SQL in the answer")
        evidence = f"{found.rule}, {found.blocks} fenced blocks"
        return Finding(
            status=CheckStatus.PASS, evidence=evidence, subject=replace(subject, sql=found.sql)
        )


@dataclass(frozen=True, kw_only=True)
class SqlGate:
    """The query is one that may run on the database."""

    databases: Databases
    database: str | None
    semantics: Semantics
    hard: bool = True
    name: str = "sql_gate"
    version: str = sql_gate.VERSION

    async def __call__(self, subject: Subject) -> Finding:
        readable = await self.databases.get(self.database)
        if isinstance(readable, str):
            return Finding(status=CheckStatus.ERROR, evidence=readable)
        assert subject.sql is not None
        dialect = readable.database.dialect
        sql = self.semantics.prepare(subject.sql, dialect)
        gated = gate_sql(sql, dialect=dialect, tables=readable.tables)
        if isinstance(gated, Rejection):
            return Finding(status=CheckStatus.FAIL, evidence=str(gated))
        allowed = replace(subject, sql=gated.sql, readable=readable)
        return Finding(status=CheckStatus.PASS, subject=allowed)


@dataclass(frozen=True, kw_only=True)
class SqlExecutes:
    """The query runs within its limits. What it does to its child is its own failure."""

    pool: SandboxPool
    hard: bool = True
    name: str = "sql_executes"
    version: str = "1"

    async def __call__(self, subject: Subject) -> Finding:
        assert subject.sql is not None
        assert subject.readable is not None
        result = await self.pool.run(subject.readable.database, subject.sql)
        if result.error is None:
            evidence = f"{len(result.rows)} rows of {len(result.columns)} columns"
            ran = replace(subject, result=result)
            return Finding(status=CheckStatus.PASS, evidence=evidence, subject=ran)
        status = CheckStatus.FAIL if result.error.is_the_querys else CheckStatus.ERROR
        evidence = f"{result.error.kind.value}: {result.error.message}"
        return Finding(status=status, evidence=evidence)


@dataclass(frozen=True, kw_only=True)
class SqlRowCount:
    """The seed's rule, as many rows as gold: never hard, since many wrong queries pass it."""

    gold: GoldResults
    gold_sql: str
    hard: bool = False
    name: str = "sql_row_count"
    version: str = "1"

    async def __call__(self, subject: Subject) -> Finding:
        assert subject.result is not None
        assert subject.readable is not None
        try:
            gold = (await self.gold.get(subject.readable, self.gold_sql)).result
        except GoldFailed as error:
            return Finding(status=CheckStatus.ERROR, evidence=str(error))
        agrees = row_count_agrees(gold, subject.result)
        evidence = f"{len(subject.result.rows)} rows, gold has {len(gold.rows)}"
        return Finding(status=CheckStatus.PASS if agrees else CheckStatus.FAIL, evidence=evidence)


@dataclass(frozen=True, kw_only=True)
class SqlResultMatch:
    """The query gives the rows that the golden query gives."""

    gold: GoldResults
    gold_sql: str
    semantics: Semantics
    tolerance: Tolerance
    hard: bool = True
    name: str = "sql_result_match"
    version: str = result_match.VERSION

    async def __call__(self, subject: Subject) -> Finding:
        assert subject.result is not None
        assert subject.readable is not None
        try:
            gold = await self.gold.get(subject.readable, self.gold_sql)
        except GoldFailed as error:
            return Finding(status=CheckStatus.ERROR, evidence=str(error))
        matched = self.semantics.compare(gold, subject.result, self.tolerance)
        evidence = f"{self.semantics.name}: {matched.reason}"
        if matched.match is Match.DIFFERENT:
            evidence += f"\nanswer: {_shown(subject.result)}\ngold: {_shown(gold.result)}"
        return Finding(status=_MATCH_STATUS[matched.match], evidence=evidence)


def _shown(result: QueryResult) -> str:
    more = f" … {len(result.rows)} rows" if len(result.rows) > _SHOWN_ROWS else ""
    return str(list(result.rows[:_SHOWN_ROWS]))[:_SHOWN_CHARACTERS] + more
