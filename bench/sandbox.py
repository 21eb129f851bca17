"""What the sandbox costs: starting a child, and code tests a second.

    python -m bench.sandbox [--seconds 5] [--json]

One line a figure. ``code_tests_in_process`` is the reference in the same run: the same calls by a
plain loop in this process, with no protection at all.
"""

import argparse
import asyncio
import json
import os
import statistics
import time
from collections.abc import Awaitable, Callable

from streams.verify.check import Subject
from streams.verify.code.check import UnitTests
from streams.verify.result_rows import Tolerance
from streams.verify.sandbox.code_pool import CodePool
from streams.verify.sandbox.code_result import CodeTest
from streams.verify.sandbox.pool import SandboxPool

_STARTS = 10
_TESTS = 10
_CODE = """
def f(text):
    seen = {}
    for letter in text:
        seen[letter] = seen.get(letter, 0) + 1
    return seen
"""
_CASES = [
    {"args": ["abc" * n], "expected": {letter: n for letter in "abc" if n}} for n in range(_TESTS)
]
_SPEC = json.dumps({"entry": "f", "cases": _CASES})


async def start_ms(make: Callable[[], Awaitable[None]]) -> float:
    """Median milliseconds to start something and end it."""
    taken = []
    for _ in range(_STARTS):
        started = time.perf_counter()
        await make()
        taken.append((time.perf_counter() - started) * 1000)
    return statistics.median(taken)


async def start_sql_child() -> None:
    """A child with both engines, ready for its first query."""
    async with SandboxPool(size=1):
        pass


async def start_code_server() -> None:
    """A server of code and its first submission."""
    async with CodePool(size=1) as pool:
        await pool.run("", [CodeTest(steps=())])


async def submissions(pool: CodePool, seconds: float, at_once: int) -> float:
    """Submissions a second, each of ``_TESTS`` tests in a fresh process."""
    check = UnitTests(pool=pool, spec=_SPEC, tolerance=Tolerance())
    done, end = 0, time.perf_counter() + seconds

    async def one_after_another() -> None:
        nonlocal done
        while time.perf_counter() < end:
            finding = await check(Subject(output=_CODE))
            if finding.score != 1:
                raise SystemExit(f"the bench's own code fails: {finding.evidence}")
            done += 1

    started = time.perf_counter()
    await asyncio.gather(*(one_after_another() for _ in range(at_once)))
    return done / (time.perf_counter() - started)


def in_process(seconds: float) -> float:
    """Tests a second without any sandbox."""
    namespace: dict[str, Callable[[str], object]] = {}
    done, started = 0, time.perf_counter()
    while time.perf_counter() < started + seconds:
        exec(compile(_CODE, "solution.py", "exec"), namespace)  # noqa: S102 - our own
        for case in _CASES:
            assert namespace["f"](*case["args"]) == case["expected"]
        done += _TESTS
    return done / (time.perf_counter() - started)


async def measure(seconds: float) -> dict[str, float]:
    """All figures."""
    figures = {
        "sql_child_start_ms": await start_ms(start_sql_child),
        "code_server_start_ms": await start_ms(start_code_server),
    }
    cores = os.cpu_count() or 1
    async with CodePool(size=cores) as pool:
        await submissions(pool, 0.5, cores)
        one = await submissions(pool, seconds, 1)
        many = await submissions(pool, seconds, 2 * cores)
    figures["code_submission_ms"] = 1000 / one
    figures["code_submissions_per_s"] = many
    figures["code_tests_per_s"] = many * _TESTS
    figures["code_tests_in_process_per_s"] = in_process(min(seconds, 1.0))
    return figures


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=5.0)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    figures = {
        name: round(value, 2) for name, value in asyncio.run(measure(options.seconds)).items()
    }
    if options.json:
        print(json.dumps(figures))
        return
    for name, value in figures.items():
        print(f"{name:30} {value:12,.2f}")


if __name__ == "__main__":
    main()
