"""Answers that attack: each fails its test, touches nothing outside, and the pool goes on."""

import hashlib
import json
import os
import signal
import socket
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import pytest_asyncio

from schemas.records import CheckStatus
from streams.verify.check import Finding, Subject
from streams.verify.code.check import UnitTests
from streams.verify.result_rows import Tolerance
from streams.verify.sandbox.code_pool import CodePool
from streams.verify.sandbox.limits import CodeLimits
from tests.hostile_code import HOSTILE

pytestmark = pytest.mark.asyncio(loop_scope="module")

# Short, so that endless answers end soon.
LIMITS = CodeLimits(wall_s=1.0, submission_s=3.0, result_bytes=100_000)
EXPECTED = "tok-7f3a9c51e2"
SECRET = "the-secret-of-a-file"
SPEC = json.dumps({"entry": "f", "cases": [{"args": [7], "expected": EXPECTED}]})
HONEST = f"def f(x):\n    return {EXPECTED!r}"


@dataclass(frozen=True)
class Outside:
    """What no answer may reach."""

    folder: Path
    secret: Path
    listener: socket.socket
    datagrams: socket.socket
    signals: list[int]

    def state(self) -> object:
        """All of it that an attack could change."""
        found = self.secret.stat()
        return (
            sorted(path.name for path in self.folder.iterdir()),
            hashlib.sha256(self.secret.read_bytes()).hexdigest(),
            (found.st_mode, found.st_mtime_ns, found.st_nlink),
            (len(self.signals), os.getpriority(os.PRIO_PROCESS, 0)),
            (_is_silent(self.listener), _is_silent(self.datagrams)),
        )

    def put_in(self, code: str) -> str:
        for name, value in (
            ("SECRET_FILE", self.secret),
            ("UNIX_SOCKET", self.datagrams.getsockname()),
            ("FOLDER", self.folder),
            ("PORT", self.listener.getsockname()[1]),
            ("PARENT", os.getpid()),
        ):
            code = code.replace(name, str(value))
        return code


@pytest.fixture(scope="module")
def outside(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Outside]:
    folder = tmp_path_factory.mktemp("outside")
    secret = folder / "secret.txt"
    secret.write_text(SECRET)
    signals: list[int] = []
    before = signal.signal(signal.SIGUSR1, lambda number, _: signals.append(number))
    with (
        socket.create_server(("127.0.0.1", 0)) as listener,
        socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as datagrams,
    ):
        listener.setblocking(False)
        datagrams.setblocking(False)
        datagrams.bind(str(folder / "socket"))
        yield Outside(folder, secret, listener, datagrams, signals)
    signal.signal(signal.SIGUSR1, before)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def pool() -> AsyncIterator[CodePool]:
    async with CodePool(size=1, limits=LIMITS) as pool:
        yield pool


@pytest.fixture(scope="module")
def bystanders() -> set[int]:
    """What other tests have running, such as the shared broker."""
    return _descendants(os.getpid())


async def check(pool: CodePool, code: str) -> Finding:
    answer = f"```python\n{code}\n```"
    return await UnitTests(pool=pool, spec=SPEC, tolerance=Tolerance())(Subject(output=answer))


@pytest.mark.parametrize("name", HOSTILE)
async def test_an_attack_fails_and_the_next_answer_is_checked(
    bystanders: set[int], pool: CodePool, outside: Outside, name: str
) -> None:
    before = outside.state()
    finding = await check(pool, outside.put_in(HOSTILE[name]))
    assert finding.status is CheckStatus.FAIL
    assert finding.score == 0
    assert SECRET not in finding.evidence
    assert EXPECTED not in finding.evidence
    assert outside.state() == before
    assert (await check(pool, HONEST)).status is CheckStatus.PASS
    ours = _descendants(os.getpid()) - bystanders
    assert ours == {server.pid for server in pool._servers}


async def test_there_are_enough_attacks() -> None:
    assert len(HOSTILE) >= 60


def _is_silent(listener: socket.socket) -> bool:
    try:
        if listener.type == socket.SOCK_DGRAM:
            listener.recv(1)
        else:
            listener.accept()[0].close()
    except BlockingIOError:
        return True
    return False


def _descendants(pid: int) -> set[int]:
    children = {
        int(child)
        for task in Path(f"/proc/{pid}/task").iterdir()
        for child in (task / "children").read_text().split()
    }
    return children | {each for child in children for each in _descendants(child)}
