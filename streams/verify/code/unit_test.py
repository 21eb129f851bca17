"""A unit test with its two halves apart: what the code is asked, and what it has to answer."""

from dataclasses import dataclass

from streams.verify.code.expected import Expected
from streams.verify.result_rows import Tolerance
from streams.verify.sandbox.code_result import CodeTest, TestRun, shown


class SpecError(ValueError):
    """Tests that cannot be read or taken apart; the text says where and why."""


@dataclass(frozen=True, kw_only=True)
class UnitTest:
    """``expected`` is by step, of those whose output counts; a ``hidden`` test is never shown."""

    name: str
    test: CodeTest
    expected: tuple[tuple[int, Expected], ...]
    hidden: bool = False

    def failure(self, run: TestRun, tolerance: Tolerance) -> str | None:
        """Why the test failed, or None. What a test expects is not told."""
        if run.error is not None:
            return f"{run.error.kind.value}: {run.error.message}"
        for step, expected in self.expected:
            if step >= len(run.outputs):
                break
            output = run.outputs[step]
            if not expected.holds(output, tolerance):
                source = self.test.steps[step].source
                if output.raised:
                    return f"{source} raised {output.raised[0]}: {output.message}"
                return f"{source} gave {shown(output.value)[:200]}"
        if len(run.outputs) == len(self.test.steps):
            return None
        last = run.outputs[-1] if run.outputs else None
        if last is None or not last.raised:
            return "no outputs"
        source = self.test.steps[len(run.outputs) - 1].source
        return f"{source} raised {last.raised[0]}: {last.message}"
