"""Runs code nobody trusts, each submission in a process of its own that then ends."""

import asyncio
import json
import os
import time
from collections.abc import Sequence
from types import TracebackType

from schemas.errors import Fatal
from streams.verify.sandbox.code_result import CodeRun, CodeTest, TestRun, output
from streams.verify.sandbox.code_server_process import (
    CodeServer,
    Ended,
    ServerDied,
    Submission,
    death,
)
from streams.verify.sandbox.confine import Report
from streams.verify.sandbox.floor import CODE_FLOOR, Floor
from streams.verify.sandbox.limits import CodeLimits
from streams.verify.sandbox.result import QueryError, QueryErrorKind

_ATTEMPTS = 2


class CodePool:
    """As many submissions at a time as there are servers; servers start with the first.

    Use it from one event loop, and close it.
    """

    def __init__(
        self,
        *,
        size: int | None = None,
        limits: CodeLimits | None = None,
        floor: Floor = CODE_FLOOR,
    ) -> None:
        self.limits = limits or CodeLimits()
        self.protections: Report = {}
        self._size = size or os.cpu_count() or 1
        self._floor = floor
        # None stands for a server that is still to be started.
        self._idle: asyncio.Queue[CodeServer | None] | None = None
        self._servers: set[CodeServer] = set()

    async def __aenter__(self) -> "CodePool":
        return self

    async def __aexit__(
        self,
        _type: type[BaseException] | None,
        _error: BaseException | None,
        _trace: TracebackType | None,
    ) -> None:
        await self.aclose()

    async def run(self, source: str, tests: Sequence[CodeTest]) -> CodeRun:
        """What the tests gave. Every failure of the code is in the result; raises Fatal where no
        server can be started or the floor of protections is missing.
        """
        run = _Run(source, tests, self.limits)
        if run.too_large():
            return CodeRun(not_loaded=f"code and inputs over {self.limits.request_bytes} bytes")
        failure = ServerDied("")
        for _ in range(_ATTEMPTS):
            try:
                return await self._with_server(run)
            except ServerDied as error:
                failure = error
        raise Fatal(f"the sandbox for code fails: {failure}") from failure

    async def aclose(self) -> None:
        """Kill the servers, and what runs in them."""
        for server in self._servers:
            server.kill()
        self._servers.clear()
        self._idle = None

    async def _with_server(self, run: "_Run") -> CodeRun:
        if self._idle is None:
            self._idle = asyncio.Queue()
            for _ in range(self._size):
                self._idle.put_nowait(None)
        idle = self._idle
        server = await idle.get()
        healthy = False
        try:
            if server is None:
                server = await CodeServer.start(self.limits)
                self._servers.add(server)
            result = await self._all_tests(server, run)
            healthy = True
            return result
        finally:
            if server is not None and not healthy:  # also when cancelled: it is in the middle
                server.kill()
                self._servers.discard(server)
            idle.put_nowait(server if healthy else None)

    async def _all_tests(self, server: CodeServer, run: "_Run") -> CodeRun:
        while run.goes_on():
            async with server.fork() as submission:
                self.protections = submission.protections
                self._floor.require(submission.protections)
                ended = await run.go_on(submission)
            run.bury(submission, ended)
        return run.result()


class _Run:
    """One submission and how far its tests have come."""

    def __init__(self, source: str, tests: Sequence[CodeTest], limits: CodeLimits) -> None:
        self._source = source
        self._tests = [test.request() for test in tests]
        self._limits = limits
        self._runs: list[TestRun] = []
        self._not_loaded: str | None = None
        self._deaths = 0
        self._left_s = limits.submission_s
        self._loading = True
        self._cpu_s = 0.0
        self._peak_bytes = 0

    def too_large(self) -> bool:
        """Whether code and inputs are over their limit."""
        return len(self._request()) > self._limits.request_bytes

    def goes_on(self) -> bool:
        """Whether tests are left that may still be run."""
        return self._not_loaded is None and len(self._runs) < len(self._tests)

    async def go_on(self, submission: Submission) -> QueryError | None:
        """Run the tests that are left in this process, as far as it lives; why it did not."""
        self._loading = True
        try:
            await submission.send(self._request())
            loaded = (await self._read(submission)).get("loaded")
            if loaded is not None:
                self._not_loaded = _described(loaded)
                return None
            self._loading = False
            for number in range(len(self._tests) - len(self._runs)):
                started = time.perf_counter()
                reply = await self._read(submission)
                duration_ms = (time.perf_counter() - started) * 1000
                self._runs.append(_test_run(reply, number, duration_ms))
        except Ended as error:
            return error.error
        return None

    def bury(self, submission: Submission, error: QueryError | None) -> None:
        """Note how the process ended."""
        self._cpu_s += submission.cpu_s
        self._peak_bytes = max(self._peak_bytes, submission.peak_bytes)
        if error is None:
            return
        error = death(submission, error)
        if self._loading:
            self._not_loaded = error.message
            return
        self._runs.append(TestRun(error=error))
        self._deaths += 1
        if self._deaths >= self._limits.deaths or self._left_s <= 0:
            why = f"not run: {self._deaths} tests before it ended their process"
            unrun = TestRun(error=QueryError(kind=error.kind, message=why))
            self._runs += [unrun] * (len(self._tests) - len(self._runs))

    def result(self) -> CodeRun:
        """What is known."""
        return CodeRun(
            runs=tuple(self._runs),
            not_loaded=self._not_loaded,
            cpu_s=self._cpu_s,
            peak_bytes=self._peak_bytes,
        )

    def _request(self) -> bytes:
        request = {"source": self._source, "tests": self._tests[len(self._runs) :]}
        return json.dumps(request).encode("ascii")

    async def _read(self, submission: Submission) -> dict[str, object]:
        started = time.perf_counter()
        try:
            return await submission.read(min(self._limits.wall_s, max(self._left_s, 0.0)))
        finally:
            self._left_s -= time.perf_counter() - started


def _test_run(reply: dict[str, object], number: int, duration_ms: float) -> TestRun:
    try:
        if reply["test"] != number or not isinstance(reply["outputs"], list):
            raise ValueError("another test's outputs")
        outputs = tuple(output(each) for each in reply["outputs"])
    except (ValueError, TypeError, KeyError) as error:
        message = f"no outputs: {error}"[:300]
        raise Ended(QueryError(kind=QueryErrorKind.GARBAGE, message=message)) from None
    return TestRun(outputs=outputs, duration_ms=duration_ms)


def _described(loaded: object) -> str:
    try:
        failed = output(loaded)
    except (ValueError, TypeError, KeyError):
        return "it did not load"
    return f"{failed.raised[0] if failed.raised else '?'}: {failed.message}"
