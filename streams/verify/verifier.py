"""Every check of one answer: what the verify stage does for each candidate, usable alone."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType

from schemas.ids import ConfigHash, config_hash
from schemas.records import Check, Expectation, ExpectationKind, Outcome
from streams.verify.check import CandidateCheck, outcome_of, run_checks
from streams.verify.databases import Databases
from streams.verify.gold import GoldResults
from streams.verify.result_rows import Tolerance
from streams.verify.sandbox.limits import Limits
from streams.verify.sandbox.pool import SandboxPool
from streams.verify.semantics import semantics
from streams.verify.settings import VerifySettings
from streams.verify.sql_checks import SqlExecutes, SqlExtract, SqlGate, SqlResultMatch, SqlRowCount
from streams.verify.text_checks import AnswerPresent, NoVerifier

# A reference text is for judges to compare with: no execution tells right from wrong there.
_FOR_JUDGES = frozenset({ExpectationKind.REFERENCE_TEXT})


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """What the checks found of one answer, and what they amount to."""

    checks: tuple[Check, ...]
    outcome: Outcome


class Verifier:
    """Checks answers; holds the sandbox. An async context manager, for one event loop."""

    def __init__(self, settings: VerifySettings, project_dir: Path) -> None:
        """Raises ConfigError where a database file is missing."""
        self._settings = settings
        self._pool = SandboxPool(
            size=settings.children, limits=Limits(wall_s=settings.wall_limit_s)
        )
        self._databases = Databases(settings, project_dir, self._pool)
        self._semantics = semantics(settings.match)
        self._gold = GoldResults(self._pool, self._semantics)
        self._tolerance = Tolerance(
            relative=settings.relative_tolerance, absolute=settings.absolute_tolerance
        )
        self.config_hash: ConfigHash = config_hash(
            settings.deciding(), self._databases.content_sha256(), self._versions()
        )

    async def __aenter__(self) -> "Verifier":
        await self._pool.start()
        return self

    async def __aexit__(
        self,
        _type: type[BaseException] | None,
        _error: BaseException | None,
        _trace: TracebackType | None,
    ) -> None:
        await self.aclose()

    async def verify_output(self, output: str, expectations: Sequence[Expectation]) -> Verdict:
        """All checks of one answer. Raises only Fatal, where the sandbox cannot be started."""
        checks = await run_checks(self.checks(expectations), output)
        return Verdict(checks=checks, outcome=outcome_of(checks))

    def checks(self, expectations: Sequence[Expectation]) -> list[CandidateCheck]:
        """The checks for an answer to a prompt with these expectations, cheapest first."""
        checks: list[CandidateCheck] = [AnswerPresent(hard=self._is_hard("answer_present"))]
        unchecked: list[CandidateCheck] = []
        golds: dict[str | None, list[str]] = {}
        for expectation in expectations:
            if expectation.kind is ExpectationKind.GOLDEN_SQL:
                golds.setdefault(expectation.params.get("database"), []).append(expectation.spec)
            elif expectation.kind not in _FOR_JUDGES:
                unchecked.append(NoVerifier(kind=expectation.kind))
        if not golds and self._settings.require_sql:
            golds = {None: []}
        if golds:
            checks.append(SqlExtract())
        for database, queries in golds.items():
            checks += self._sql_checks(database, queries)
        return checks + unchecked

    async def aclose(self) -> None:
        """End the sandbox."""
        await self._pool.aclose()

    def _sql_checks(self, database: str | None, gold_queries: list[str]) -> list[CandidateCheck]:
        checks: list[CandidateCheck] = [
            SqlGate(databases=self._databases, database=database, semantics=self._semantics),
            SqlExecutes(pool=self._pool),
        ]
        for sql in gold_queries:
            match = SqlResultMatch(
                gold=self._gold,
                gold_sql=sql,
                semantics=self._semantics,
                tolerance=self._tolerance,
                hard=self._is_hard("sql_result_match"),
            )
            checks += [SqlRowCount(gold=self._gold, gold_sql=sql), match]
        return checks

    def _is_hard(self, name: str) -> bool:
        return name not in self._settings.soft

    def _versions(self) -> str:
        probe = Expectation(kind=ExpectationKind.GOLDEN_SQL, spec="")
        unknown = Expectation(kind=ExpectationKind.UNIT_TESTS, spec="")
        checks = self.checks([probe, unknown])
        return json.dumps(sorted([check.name, check.version] for check in checks))
