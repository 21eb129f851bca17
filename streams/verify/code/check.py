"""The check of an answer that is code: what it returns is what the tests expect."""

from collections.abc import Sequence
from dataclasses import dataclass

from schemas.records import CheckStatus
from streams.verify.check import Finding, Subject
from streams.verify.code.spec import parse_spec
from streams.verify.code.unit_test import SpecError, UnitTest
from streams.verify.extracted import Extracted, extract_code
from streams.verify.result_rows import Tolerance
from streams.verify.sandbox.code_pool import CodePool
from streams.verify.sandbox.code_result import CodeRun

_SHOWN_FAILURES = 5


@dataclass(frozen=True, kw_only=True)
class UnitTests:
    """PASS where every test passes; ``score`` is the share that does.

    Hidden tests count, and nothing of them is shown. ERROR where the tests cannot be read.
    """

    pool: CodePool
    spec: str
    entry: str | None = None
    tolerance: Tolerance
    hard: bool = True
    name: str = "unit_tests"
    version: str = "2"

    async def __call__(self, subject: Subject) -> Finding:
        try:
            tests = parse_spec(self.spec, self.entry)
        except SpecError as error:
            return Finding(status=CheckStatus.ERROR, evidence=f"the tests: {error}")
        found = extract_code(subject.output)
        if found is None:
            return Finding(status=CheckStatus.FAIL, score=0.0, evidence="no code in the answer")
        run = await self.pool.run(found.text, [test.test for test in tests])
        if run.not_loaded is not None:
            evidence = f"{found.rule}; the code does not load: {run.not_loaded}"
            return Finding(status=CheckStatus.FAIL, score=0.0, evidence=evidence)
        return self._finding(tests, run, found)

    def _finding(self, tests: Sequence[UnitTest], run: CodeRun, found: Extracted) -> Finding:
        failures = [
            (test, why)
            for test, ran in zip(tests, run.runs, strict=True)
            if (why := test.failure(ran, self.tolerance)) is not None
        ]
        passed = len(tests) - len(failures)
        lines = [f"{found.rule}; {passed} of {len(tests)} tests pass"]
        shown = [(test.name, why) for test, why in failures if not test.hidden]
        lines += [f"{name}: {why}" for name, why in shown[:_SHOWN_FAILURES]]
        if hidden := sum(test.hidden for test, _ in failures):
            lines.append(f"hidden tests that fail: {hidden}")
        return Finding(
            status=CheckStatus.FAIL if failures else CheckStatus.PASS,
            score=passed / len(tests),
            evidence="\n".join(lines),
        )
