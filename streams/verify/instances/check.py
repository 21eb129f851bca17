"""The check that an answer gives gold's rows on copies of the database too."""

from dataclasses import dataclass

from schemas.records import CheckStatus
from streams.verify.check import Finding, Subject
from streams.verify.gold import GoldFailed, GoldRuns
from streams.verify.instances.cache import Instances
from streams.verify.instances.copies import VERSION, Copies, Copy, CopyFailed
from streams.verify.result_match import Match
from streams.verify.sandbox.pool import SandboxPool
from streams.verify.sandbox.result import QueryResult
from streams.verify.settings import Disagreement
from streams.verify.shown import shown

_STATUS = {"undecided": CheckStatus.INCONCLUSIVE, "fail": CheckStatus.FAIL}


@dataclass(frozen=True, kw_only=True)
class SqlInstances:
    """On fuzzed copies of the database the answer's rows are gold's as well.

    Asked only where they are on the database itself. SKIP where no copy tells anything: the match
    on the database then stands alone.
    """

    pool: SandboxPool
    runs: GoldRuns
    instances: Instances
    gold_sql: str
    disagreement: Disagreement
    hard: bool = True
    name: str = "sql_instances"
    version: str = VERSION

    async def __call__(self, subject: Subject) -> Finding:
        if subject.matched is not Match.EQUAL:
            return Finding(status=CheckStatus.SKIP, evidence="no match that copies could confirm")
        assert subject.readable is not None
        if subject.readable.file is None:
            return Finding(status=CheckStatus.SKIP, evidence="a replica is not copied")
        try:
            async with self.instances.of(subject.readable, self.gold_sql) as copies:
                return await self._compare(subject, copies)
        except (CopyFailed, GoldFailed) as error:
            return Finding(status=CheckStatus.ERROR, evidence=str(error))

    async def _compare(self, subject: Subject, copies: Copies) -> Finding:
        assert subject.sql is not None
        counted = f"{len(copies.counted)} of {copies.wanted} copies count"
        databases = [copy.database for copy in copies.counted]
        results = await self.pool.run_each(databases, subject.sql)
        for copy, result in zip(copies.counted, results, strict=True):
            if result.error is not None and not result.error.is_the_querys:
                evidence = f"copy {copy.number}: {result.error.message}"
                return Finding(status=CheckStatus.ERROR, evidence=evidence)
            reason = self._difference(copy, result)
            if reason is not None:
                evidence = (
                    f"{counted}; copy {copy.number} tells the two apart: {reason}\n"
                    f"answer: {_shown(result)}\ngold: {shown(copy.gold.result)}"
                )
                return Finding(status=_STATUS[self.disagreement], evidence=evidence)
        if not copies.counted:
            evidence = "; ".join([counted, *copies.left_out])
            return Finding(status=CheckStatus.SKIP, evidence=evidence)
        return Finding(status=CheckStatus.PASS, evidence=f"{counted}; all agree")

    def _difference(self, copy: Copy, result: QueryResult) -> str | None:
        if result.error is not None:
            return "the answer's query fails there"
        matched = self.runs.compare(copy.gold, result)
        return matched.reason if matched.match is Match.DIFFERENT else None


def _shown(result: QueryResult) -> str:
    return shown(result) if result.error is None else str(result.error.message)[:400]
