"""Every check of one answer: what the verify stage does for each candidate, usable alone."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType

from schemas.errors import ConfigError
from schemas.ids import ConfigHash, config_hash
from schemas.records import Check, Expectation, ExpectationKind, Message, Outcome, Passage
from streams.verify.check import CandidateCheck, Subject, outcome_of, run_checks
from streams.verify.code.check import UnitTests
from streams.verify.databases import Databases, readable_paths
from streams.verify.gate_cache import GateCache
from streams.verify.gold import GoldResults, GoldRuns
from streams.verify.instances.cache import Instances
from streams.verify.instances.check import SqlInstances
from streams.verify.json_checks import json_checks
from streams.verify.number_checks import number_checks
from streams.verify.plugin import PluginCheck, load_plugins
from streams.verify.result_match import MatchRules
from streams.verify.result_rows import Tolerance
from streams.verify.sandbox.code_pool import CodePool
from streams.verify.sandbox.limits import CodeLimits, Limits
from streams.verify.sandbox.pool import SandboxPool
from streams.verify.semantics import semantics
from streams.verify.settings import InstanceSettings, VerifySettings
from streams.verify.sql_checks import SqlExecutes, SqlExtract, SqlGate, SqlResultMatch, SqlRowCount
from streams.verify.task_pools import TaskPools
from streams.verify.text_checks import AnswerPresent, NoVerifier
from streams.verify.text_rules import TextCheck

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
        """Raises ConfigError where a database file is missing or a plug-in cannot be used."""
        self._settings = settings
        self._pool = SandboxPool(
            size=settings.children,
            limits=Limits(wall_s=settings.wall_limit_s),
            readable=readable_paths(settings, project_dir),
        )
        self._code = CodePool(
            size=settings.children, limits=CodeLimits(wall_s=settings.wall_limit_s)
        )
        self._tasks = TaskPools(children=settings.children, wall_s=settings.wall_limit_s)
        self._databases = Databases(settings, project_dir, self._pool)
        self._semantics = semantics(
            settings.match,
            MatchRules(
                any_column_order=settings.any_column_order,
                row_order=settings.row_order,
                duplicates=settings.duplicates,
            ),
        )
        self._gate = GateCache(self._semantics)
        self._tolerance = Tolerance(
            relative=settings.relative_tolerance, absolute=settings.absolute_tolerance
        )
        self._runs = GoldRuns(self._pool, self._gate, self._semantics, self._tolerance)
        self._gold = GoldResults(self._runs)
        self._instances = Instances(self._runs, settings.copies) if settings.copies else None
        if self._instances is not None:
            self._pool.allow(self._instances.folder)
        self._text = [TextCheck(rule=rule) for rule in settings.text]
        self._plugins: list[PluginCheck] = []
        self._plugins = load_plugins(settings.plugins, self._names(), settings.plugin_limit_s)
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

    @property
    def instances_folder(self) -> Path | None:
        """Where fuzzed copies of the databases are; None without."""
        return None if self._instances is None else self._instances.folder

    async def verify_output(
        self,
        output: str,
        expectations: Sequence[Expectation],
        *,
        messages: Sequence[Message] = (),
        context: Sequence[Passage] = (),
    ) -> Verdict:
        """All checks of one answer. Raises only Fatal, where the sandbox cannot be started.

        ``messages`` are the prompt, ``context`` the passages that were retrieved for it.
        """
        subject = Subject(
            output=output,
            messages=tuple(messages),
            context=tuple(context),
            expectations=tuple(expectations),
        )
        checks = await run_checks(self.checks(expectations), subject)
        return Verdict(checks=checks, outcome=outcome_of(checks))

    def checks(self, expectations: Sequence[Expectation]) -> list[CandidateCheck]:
        """The checks for an answer to a prompt with these expectations, cheapest first."""
        checks: list[CandidateCheck] = [AnswerPresent(hard=self._is_hard("answer_present"))]
        checks += self._text
        unchecked: list[CandidateCheck] = []
        golds: dict[str | None, list[str]] = {}
        documents: list[Expectation] = []
        numbers: list[Expectation] = []
        for expectation in expectations:
            if expectation.kind is ExpectationKind.GOLDEN_SQL:
                golds.setdefault(expectation.params.get("database"), []).append(expectation.spec)
            elif expectation.kind is ExpectationKind.JSON_SCHEMA:
                documents.append(expectation)
            elif expectation.kind is ExpectationKind.NUMERIC:
                numbers.append(expectation)
            elif expectation.kind is ExpectationKind.UNIT_TESTS:
                unchecked.append(self._unit_tests(expectation))
            elif expectation.kind not in _FOR_JUDGES:
                unchecked.append(NoVerifier(kind=expectation.kind))
        hard = self._is_hard("number_match")
        checks += number_checks(numbers, self._tasks, match_is_hard=hard)
        hard = self._is_hard("json_match")
        checks += json_checks(documents, self._tasks, match_is_hard=hard)
        if not golds and self._settings.require_sql:
            golds = {None: []}
        if golds:
            checks.append(SqlExtract())
        for database, queries in golds.items():
            checks += self._sql_checks(database, queries)
        return [*checks, *self._plugins, *unchecked]

    async def aclose(self) -> None:
        """End the sandbox."""
        if self._instances is not None:
            self._instances.close()
        await self._pool.aclose()
        await self._tasks.aclose()
        await self._code.aclose()

    def _unit_tests(self, expectation: Expectation) -> UnitTests:
        return UnitTests(
            pool=self._code,
            spec=expectation.spec,
            entry=expectation.params.get("entry_point"),
            tolerance=self._tolerance,
            hard=self._is_hard("unit_tests"),
        )

    def _sql_checks(self, database: str | None, gold_queries: list[str]) -> list[CandidateCheck]:
        checks: list[CandidateCheck] = [
            SqlGate(databases=self._databases, database=database, gate=self._gate),
            SqlExecutes(pool=self._pool),
        ]
        for sql in gold_queries:
            row_count = SqlRowCount(
                gold=self._gold, gold_sql=sql, relative=self._settings.row_count_tolerance
            )
            match = SqlResultMatch(
                gold=self._gold,
                runs=self._runs,
                gold_sql=sql,
                semantics=self._semantics,
                hard=self._is_hard("sql_result_match"),
            )
            checks += [row_count, match]
            checks += self._instance_checks(sql)
        return checks

    def _instance_checks(self, gold_sql: str) -> list[CandidateCheck]:
        if self._instances is None:
            return []
        chosen = self._settings.instances or InstanceSettings()
        return [
            SqlInstances(
                pool=self._pool,
                runs=self._runs,
                instances=self._instances,
                gold_sql=gold_sql,
                disagreement=chosen.disagreement,
                hard=self._is_hard("sql_instances"),
            )
        ]

    def _is_hard(self, name: str) -> bool:
        return name not in self._settings.soft

    def _every_check(self) -> list[CandidateCheck]:
        params = {ExpectationKind.JSON_SCHEMA: {"reference": ""}}
        probes = [Expectation(kind=k, spec="", params=params.get(k, {})) for k in ExpectationKind]
        return self.checks(probes)

    def _names(self) -> list[str]:
        checks = self._every_check()
        names = [check.name for check in checks if not isinstance(check, TextCheck)]
        for rule in self._settings.text:
            if rule.name in names:
                raise ConfigError(
                    f"verify.text: the rule {rule.name} has the name of another check; rename it"
                )
        return [check.name for check in checks]

    def _versions(self) -> str:
        checks = self._every_check()
        return json.dumps(sorted([check.name, check.version] for check in checks))
