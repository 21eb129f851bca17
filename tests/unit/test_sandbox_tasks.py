"""Tasks other than SQL: the pool keeps the same promises for them as for queries."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from streams.verify.sandbox.limits import Limits
from streams.verify.sandbox.pool import SandboxPool
from streams.verify.sandbox.result import Json, QueryErrorKind, TaskResult
from streams.verify.sandbox.tasks import TASKS

pytestmark = pytest.mark.asyncio(loop_scope="module")

LIMITS = Limits(wall_s=1.0, result_bytes=50_000, request_bytes=100_000)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def pool() -> AsyncIterator[SandboxPool]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(TASKS, "act", "tests.sandbox_tasks")
        async with SandboxPool(size=1, limits=LIMITS, dialects=(), tasks=["act"]) as pool:
            yield pool


async def act(pool: SandboxPool, do: str, value: Json = None) -> TaskResult:
    return await pool.call("act", {"do": do, "value": value})


async def test_json_goes_in_and_comes_out(pool: SandboxPool) -> None:
    value: list[Json] = [None, True, 1, 1.5, "ä\ud800\n", {"a": []}]
    result = await act(pool, "echo", value)
    assert result.error is None
    assert result.value == value


@pytest.mark.parametrize(
    ("do", "kind"),
    [
        ("raise", QueryErrorKind.TASK),
        ("nan", QueryErrorKind.TASK),
        ("object", QueryErrorKind.TASK),
        ("exit", QueryErrorKind.CRASH),
        ("sleep", QueryErrorKind.TIMEOUT),
        ("hog", QueryErrorKind.TOO_LARGE),
    ],
)
async def test_a_failure_is_in_the_result_and_the_next_call_works(
    pool: SandboxPool, do: str, kind: QueryErrorKind
) -> None:
    result = await act(pool, do, "what was wrong")
    assert result.error is not None
    assert result.error.kind is kind
    assert result.error.is_the_querys
    assert (await act(pool, "echo", "alive")).value == "alive"


async def test_what_a_task_says_is_kept(pool: SandboxPool) -> None:
    result = await act(pool, "raise", "what was wrong")
    assert result.error is not None
    assert result.error.message == "ValueError: what was wrong"


async def test_a_request_or_a_value_over_its_limit_is_refused(pool: SandboxPool) -> None:
    for size in (LIMITS.request_bytes, LIMITS.result_bytes):
        result = await act(pool, "echo", "x" * size)
        assert result.error is not None
        assert result.error.kind is QueryErrorKind.TOO_LARGE
        assert str(size) in result.error.message
    assert (await act(pool, "echo", "alive")).value == "alive"


async def test_only_tasks_of_the_table_can_be_had(pool: SandboxPool) -> None:
    with pytest.raises(ValueError, match="no task os"):
        SandboxPool(tasks=["os"])
    with pytest.raises(ValueError, match="not made with"):
        await pool.call("os", {})
