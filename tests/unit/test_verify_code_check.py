"""Answers that are code, run in the sandbox: what passes, what fails, and what is said of it."""

import json
import os
import select
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from schemas.records import CheckStatus, Expectation, ExpectationKind, Outcome
from streams.verify.check import Finding, Subject
from streams.verify.code.check import UnitTests
from streams.verify.result_rows import Tolerance
from streams.verify.sandbox.code_pool import CodePool
from streams.verify.sandbox.limits import CodeLimits
from streams.verify.settings import VerifySettings
from streams.verify.verifier import Verifier

pytestmark = pytest.mark.asyncio(loop_scope="module")

ROOT = Path(__file__).parents[2]
LIMITS = CodeLimits(wall_s=1.0, submission_s=10.0)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def pool() -> AsyncIterator[CodePool]:
    async with CodePool(size=1, limits=LIMITS) as pool:
        yield pool


async def check(pool: CodePool, code: str, spec: str) -> Finding:
    answer = f"Here it is:\n```python\n{code}\n```\nIt works."
    return await UnitTests(pool=pool, spec=spec, tolerance=Tolerance())(Subject(output=answer))


def cases(*cases: dict[str, Any]) -> str:
    return json.dumps({"entry": "f", "cases": cases})


@pytest.mark.parametrize(
    ("value", "spec"),
    [
        ("3", "assert f() == 3"),
        ("3.0000000001", "assert f() == 3"),
        ("True", "assert f() == 1"),
        ("10 ** 30", "assert f() == 10 ** 30"),
        ("(1, [{'k': {3}}], b'x', 1j, None)", "assert f() == (1, [{'k': {3}}], b'x', 1j, None)"),
        ("{2: 'a', 1: 'b'}", "assert f() == {1: 'b', 2: 'a'}"),
        ("float('inf')", "assert f() == float('inf')"),
        ("'\\ud800'", "assert f() == '\\ud800'"),
        ("__import__('collections').Counter('aab')", "assert f() == {'a': 2, 'b': 1}"),
        ("(1, 2)", cases({"expected": [1, 2]})),
        ("{1: (2,)}", cases({"expected": {"1": [2]}})),
        ("'x'", "assert f() in ('x', 'y')"),
        ("[1]", "assert f()"),
        ("[]", "assert not f()"),
        ("2 ** 2000", "assert f() > 5"),
    ],
)  # fmt: skip
async def test_right_values_pass(pool: CodePool, value: str, spec: str) -> None:
    found = await check(pool, f"def f():\n    return {value}", spec)
    assert found.status is CheckStatus.PASS, found.evidence
    assert found.score == 1


@pytest.mark.parametrize(
    ("value", "spec"),
    [
        ("3.001", "assert f() == 3"),
        ("(1, 2)", "assert f() == [1, 2]"),
        ("'3'", "assert f() == 3"),
        ("{1: 2}", "assert f() == {'1': 2}"),
        ("{1, 2}", "assert f() == {1}"),
        ("float('nan')", "assert f() == 1.0"),
        ("float('nan')", "assert f() > 0"),
        ("None", "assert f()"),
        ("'b'", "assert f() > 3"),
        ("10 ** 30 + 1", "assert f() == 10 ** 30"),
    ],
)
async def test_wrong_values_fail(pool: CodePool, value: str, spec: str) -> None:
    found = await check(pool, f"def f():\n    return {value}", spec)
    assert found.status is CheckStatus.FAIL
    assert found.score == 0


async def test_the_score_is_the_share_of_tests_that_pass(pool: CodePool) -> None:
    code = """
import os
def f(x):
    if x == 1: return 1 / 0
    if x == 2: os._exit(0)
    if x == 3:
        while True: pass
    return x
"""
    found = await check(pool, code, "\n".join(f"assert f({n}) == {n}" for n in range(6)))
    assert found.status is CheckStatus.FAIL
    assert found.score == pytest.approx(3 / 6)
    for what in ("line 2: f(1) raised ZeroDivisionError", "line 3: crash", "line 4: timeout"):
        assert what in found.evidence


async def test_tests_that_kill_their_process_again_and_again_end_the_run(pool: CodePool) -> None:
    spec = "\n".join(f"assert f({n}) == {n}" for n in range(20))
    found = await check(pool, "import os\ndef f(x):\n    os._exit(x)", spec)
    assert found.score == 0
    assert "not run: 3 tests before it" in found.evidence


async def test_objects_keep_their_state_within_a_test_and_not_between_tests(
    pool: CodePool,
) -> None:
    code = (
        "class S:\n    items = []\n    def push(self, x): self.items.append(x); return self.items"
    )
    one = "def test_one():\n    s = S()\n    s.push(1)\n    assert s.push(2) == [1, 2]\n"
    assert (await check(pool, code, one)).status is CheckStatus.PASS
    fails = one + "    with pytest.raises(AttributeError):\n        s.pop()\n    assert s.x == 1"
    found = await check(pool, code, fails)
    assert found.status is CheckStatus.FAIL
    assert "s.x raised AttributeError" in found.evidence


async def test_a_submission_sees_nothing_of_the_one_before(pool: CodePool) -> None:
    writes = """
import builtins, os, sys
builtins.left = sys.left = 'here'
def f():
    with open('left.txt', 'w') as file: file.write('here')
    return os.listdir('.')
"""
    assert (await check(pool, writes, "assert f() == ['left.txt']")).status is CheckStatus.PASS
    looks = """
import builtins, os, sys
def f(): return [os.listdir('.'), dict(os.environ), hasattr(builtins, 'left'), len(sys.argv)]
"""
    found = await check(pool, looks, "assert f() == [[], {}, False, 1]")
    assert found.status is CheckStatus.PASS, found.evidence


async def test_the_folder_of_a_submission_is_small(pool: CodePool) -> None:
    fills = """
def f():
    n = 0
    try:
        while n < 1000:
            with open(str(n), 'wb') as file: file.write(b'x' * 2**20)
            n += 1
    except OSError:
        return n
"""
    found = await check(pool, fills, "assert f() <= 16")
    assert found.status is CheckStatus.PASS, found.evidence
    large = "def f():\n    with open('a', 'wb') as file: file.write(b'x' * 2**21)"
    assert "OSError" in (await check(pool, large, "assert f() == 1")).evidence


async def test_much_of_the_standard_library_works(pool: CodePool) -> None:
    code = """
import asyncio, dataclasses, decimal, functools, sqlite3, tempfile, uuid, zoneinfo
@dataclasses.dataclass
class P:
    x: int
@functools.cache
def g(x): return decimal.Decimal(x)
async def h():
    await asyncio.sleep(0)
    return dataclasses.asdict(P(int(g(1))))
def f():
    with tempfile.TemporaryDirectory() as d, open(d + '/x', 'w') as file: file.write('x')
    assert sqlite3.connect(':memory:').execute('SELECT 1').fetchone() == (1,)
    return asyncio.run(h())
if __name__ == '__main__':
    raise SystemExit('not run as a script')
"""
    found = await check(pool, code, "assert f() == {'x': 1}")
    assert found.status is CheckStatus.PASS, found.evidence


async def test_the_same_code_gives_the_same_each_time(pool: CodePool) -> None:
    code = "import random\ndef f(): return [random.random(), hash('x'), str({'a', 'b', 'c'})]"
    first, second = [await check(pool, code, "assert f() == 0") for _ in range(2)]
    assert first == second


async def test_hidden_tests_count_and_are_not_shown(pool: CodePool) -> None:
    spec = cases(
        {"args": [1], "expected": 1, "name": "shown"},
        {"args": [77], "expected": 78, "name": "secret", "hidden": True},
    )
    found = await check(pool, "def f(x): return x", spec)
    assert found.score == pytest.approx(0.5)
    assert "secret" not in found.evidence
    assert "77" not in found.evidence
    assert "hidden tests that fail: 1" in found.evidence


@pytest.mark.parametrize(
    ("code", "evidence"),
    [
        ("def f(:", "SyntaxError"),
        ("import numpy", "ModuleNotFoundError: No module named 'numpy'"),
        ("raise ValueError('no')", "ValueError: no"),
        ("x" * 5_000_000, "over 4194304 bytes"),
    ],
)
async def test_code_that_does_not_load_fails(pool: CodePool, code: str, evidence: str) -> None:
    found = await check(pool, code, "assert f() == 1")
    assert found.status is CheckStatus.FAIL
    assert found.score == 0
    assert evidence in found.evidence


async def test_tests_that_cannot_be_read_are_an_error(pool: CodePool) -> None:
    found = await check(pool, "def f(): return 1", "assert f() == g()")
    assert found.status is CheckStatus.ERROR
    assert "line 1" in found.evidence


async def test_a_server_that_is_killed_is_replaced(pool: CodePool) -> None:
    assert (await check(pool, "def f(): return 1", "assert f() == 1")).status is CheckStatus.PASS
    (server,) = pool._servers
    server._process.kill()
    assert (await check(pool, "def f(): return 1", "assert f() == 1")).status is CheckStatus.PASS
    assert pool._servers != {server}


async def test_servers_and_their_submissions_die_with_their_parent() -> None:
    script = """
import asyncio
from streams.verify.sandbox.code_pool import CodePool
from streams.verify.sandbox.code_result import CodeTest, Step
async def main():
    pool = CodePool(size=1)
    await pool.run("", [CodeTest(steps=(Step(kind="eval", source="1"),))])
    (server,) = pool._servers
    async with server.fork() as submission:
        print(server.pid, flush=True)
        await asyncio.Event().wait()
asyncio.run(main())
"""
    parent = subprocess.Popen(
        [sys.executable, "-c", script], stdout=subprocess.PIPE, cwd=ROOT, text=True
    )
    assert parent.stdout is not None
    server = int(parent.stdout.readline())
    (child,) = Path(f"/proc/{server}/task/{server}/children").read_text().split()
    descriptors = [os.pidfd_open(pid) for pid in (server, int(child))]
    parent.kill()
    parent.communicate()
    for descriptor in descriptors:
        assert select.select([descriptor], [], [], 10)[0]


async def test_the_verifier_checks_unit_tests(tmp_path: Path) -> None:
    tests = Expectation(
        kind=ExpectationKind.UNIT_TESTS,
        spec="def check(candidate):\n    assert candidate(2) == 4",
        params={"entry_point": "double"},
    )
    async with Verifier(VerifySettings(children=1), tmp_path) as verifier:
        right = await verifier.verify_output("def double(x): return 2 * x", [tests])
        wrong = await verifier.verify_output("```\ndef double(x): return x\n```", [tests])
        silent = await verifier.verify_output("```python\n```", [tests])
    assert right.outcome is Outcome.PASSED
    assert wrong.outcome is Outcome.FAILED
    assert silent.outcome is Outcome.FAILED
    assert [check.name for check in right.checks] == ["answer_present", "unit_tests"]
