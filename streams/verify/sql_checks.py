"""The checks of an answer that is SQL, cheapest first: found, allowed, runs, gives gold's rows."""

from dataclasses import dataclass, replace

from schemas.records import CheckStatus
from streams.verify import result_match, sql_gate
from streams.verify.check import Finding, Subject
from streams.verify.databases import Databases
from streams.verify.extracted import extract_sql
from streams.verify.gate_cache import GateCache
from streams.verify.gold import GoldFailed, GoldResults, GoldRuns
from streams.verify.result_match import Match, row_count_agrees
from streams.verify.sandbox.pool import SandboxPool
from streams.verify.semantics import Semantics
from streams.verify.shown import shown
from streams.verify.sql_gate import Rejection

_MATCH_STATUS = {
    Match.EQUAL: CheckStatus.PASS,
    Match.DIFFERENT: CheckStatus.FAIL,
    Match.UNTOLD: CheckStatus.INCONCLUSIVE,
}


@dataclass(frozen=True, kw_only=True)
class SqlExtract:
    """The answer holds something that could be SQL."""

    hard: bool = True
    name: str = "sql_extract"
    version: str = "2"

    async def __call__(self, subject: Subject) -> Finding:
        found = extract_sql(subject.output)
        if found is None:
            return Finding(status=CheckStatus.FAIL, evidence="no SQL in the answer")
        evidence = f"{found.rule}, {found.blocks} fenced blocks"
        return Finding(
            status=CheckStatus.PASS, evidence=evidence, subject=replace(subject, sql=found.text)
        )


@dataclass(frozen=True, kw_only=True)
class SqlGate:
    """The query is one that may run on the database."""

    databases: Databases
    database: str | None
    gate: GateCache
    hard: bool = True
    name: str = "sql_gate"
    version: str = sql_gate.VERSION

    async def __call__(self, subject: Subject) -> Finding:
        readable = await self.databases.get(self.database)
        if isinstance(readable, str):
            return Finding(status=CheckStatus.ERROR, evidence=readable)
        assert subject.sql is not None
        found = self.gate.allowed(readable, subject.sql)
        if isinstance(found, Rejection):
            return Finding(status=CheckStatus.FAIL, evidence=str(found))
        allowed = replace(subject, sql=found, readable=readable)
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
        problem = subject.readable.problem()
        if problem is not None:
            return Finding(status=CheckStatus.ERROR, evidence=problem)
        if result.error is None:
            evidence = (
                f"{len(result.rows)} rows of {len(result.columns)} columns, "
                f"{result.duration_ms:.1f} ms"
            )
            if result.peak_kib is not None:
                evidence += f", {result.peak_kib / 1024:.0f} MiB at most in its process"
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
    relative: float
    hard: bool = False
    name: str = "sql_row_count"
    version: str = "1"

    async def __call__(self, subject: Subject) -> Finding:
        assert subject.result is not None
        assert subject.readable is not None
        try:
            state = subject.result.state
            gold = (await self.gold.get(subject.readable, self.gold_sql, state)).result
        except GoldFailed as error:
            return Finding(status=CheckStatus.ERROR, evidence=str(error))
        agrees = row_count_agrees(gold, subject.result, self.relative)
        evidence = f"{len(subject.result.rows)} rows, gold has {len(gold.rows)}"
        return Finding(status=CheckStatus.PASS if agrees else CheckStatus.FAIL, evidence=evidence)


@dataclass(frozen=True, kw_only=True)
class SqlResultMatch:
    """The query gives the rows that the golden query gives."""

    gold: GoldResults
    runs: GoldRuns
    gold_sql: str
    semantics: Semantics
    hard: bool = True
    name: str = "sql_result_match"
    version: str = result_match.VERSION

    async def __call__(self, subject: Subject) -> Finding:
        assert subject.result is not None
        assert subject.readable is not None
        try:
            gold = await self.gold.get(subject.readable, self.gold_sql, subject.result.state)
        except GoldFailed as error:
            return Finding(status=CheckStatus.ERROR, evidence=str(error))
        problem = subject.readable.problem()
        if problem is not None:
            return Finding(status=CheckStatus.ERROR, evidence=problem)
        matched = self.runs.compare(gold, subject.result)
        evidence = f"{self.semantics.name}: {matched.reason}"
        if matched.match is Match.DIFFERENT:
            evidence += f"\nanswer: {shown(subject.result)}\ngold: {shown(gold.result)}"
        return Finding(
            status=_MATCH_STATUS[matched.match],
            evidence=evidence,
            subject=replace(subject, matched=matched.match),
        )
