"""The demo interrupted in the middle: it ends at once and leaves no process behind."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from infra.stack_state import read_state
from tests.processes import processes_of
from tests.waiting import DEADLINE_S, wait_until

pytestmark = pytest.mark.integration

WORKERS = {"sink", "worker-sample", "worker-verify", "worker-pair", "worker-judge", "worker-filter"}


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_demo_leaves_nothing_behind(tmp_path: Path, number: signal.Signals) -> None:
    stack = tmp_path / "demo" / "stack"
    with (tmp_path / "log").open("wb") as log:
        demo = subprocess.Popen(
            [sys.executable, "-m", "cli.main", "demo", "--quick", "--data-dir", str(stack.parent)],
            stdout=log,
            stderr=subprocess.STDOUT,
            # as a shell starts a background job: with SIGINT ignored
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_IGN),
        )
        try:
            wait_until(lambda: set(read_state(stack).processes) >= WORKERS, "the workers start")
            assert len(processes_of(stack)) >= len(WORKERS)
            os.kill(demo.pid, number)
            code = demo.wait(DEADLINE_S)
        finally:
            demo.kill()
    assert code == 130, (tmp_path / "log").read_text()
    assert not processes_of(stack)
    assert "Traceback" not in (tmp_path / "log").read_text()
