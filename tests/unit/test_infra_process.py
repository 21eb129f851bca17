"""Child processes: they end when they are told to, and with whoever started them."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from infra.process import ManagedProcess, ProcessFailed, ProcessSpec
from infra.process_identity import runs, send, start_mark
from infra.settings import Settings
from infra.stack import Stack
from infra.stack_state import ProcessState, read_state, update_state
from schemas.errors import ConfigError
from tests.processes import processes_of
from tests.waiting import wait_until

SLEEPER = "import time; print('up', flush=True); time.sleep(600)"
STUBBORN = (
    "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); "
    "print('up', flush=True); time.sleep(600)"
)


def _spec(code: str, name: str = "child", stop_timeout_s: float = 10.0) -> ProcessSpec:
    argv = (sys.executable, "-c", code)
    return ProcessSpec(name=name, argv=argv, stop_timeout_s=stop_timeout_s)


def _said(process: ManagedProcess, text: str) -> bool:
    return text in process.log_path.read_text()


@pytest.fixture
def log(tmp_path: Path) -> Path:
    return tmp_path / "logs" / "child.log"


def test_stop_ends_it_by_sigterm(log: Path) -> None:
    process = ManagedProcess(_spec(SLEEPER), log)
    process.wait_ready(lambda: _said(process, "up"), 60)
    assert process.stop() == 128 + signal.SIGTERM
    assert not runs(process.pid, process.started)


def test_stop_kills_what_ignores_sigterm(log: Path) -> None:
    process = ManagedProcess(_spec(STUBBORN, stop_timeout_s=0.2), log)
    process.wait_ready(lambda: _said(process, "up"), 60)
    assert process.stop() == 128 + signal.SIGKILL


def test_exit_code_is_the_childs(log: Path) -> None:
    assert ManagedProcess(_spec("raise SystemExit(7)"), log).wait(60) == 7


def test_what_the_child_left_behind_is_killed(log: Path) -> None:
    code = (
        "import subprocess, sys; p = subprocess.Popen("
        f"[sys.executable, '-c', {SLEEPER!r}], start_new_session=True); print('pid', p.pid)"
    )
    process = ManagedProcess(_spec(code), log)
    process.wait(60)
    orphan = int(log.read_text().split("pid ")[1].split()[0])
    assert start_mark(orphan) is None


def test_child_is_killed_with_its_guard(log: Path) -> None:
    process = ManagedProcess(_spec(SLEEPER), log)
    os.kill(process._guard.pid, signal.SIGKILL)
    wait_until(lambda: not runs(process.pid, process.started), "the child is gone")
    process.stop()


@pytest.mark.parametrize("end", [signal.SIGTERM, signal.SIGKILL, signal.SIGINT])
def test_child_goes_with_the_stack_however_it_goes(tmp_path: Path, end: signal.Signals) -> None:
    code = (
        "import sys, time; from pathlib import Path; from infra.process import *\n"
        f"spec = ProcessSpec(name='child', argv=(sys.executable, '-c', {STUBBORN!r}), "
        "stop_timeout_s=0.2)\n"
        f"p = ManagedProcess(spec, Path({str(tmp_path / 'child.log')!r}))\n"
        "p.wait_ready(lambda: 'up' in p.log_path.read_text(), 60); print(p.pid, flush=True)\n"
        "time.sleep(600)"
    )
    owner = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
    assert owner.stdout is not None
    pid = int(owner.stdout.readline())
    started = start_mark(pid)
    assert started is not None
    owner.send_signal(end)
    owner.wait(60)
    wait_until(lambda: not runs(pid, started), "the child is gone")


def test_a_recycled_pid_is_never_signalled(log: Path) -> None:
    process = ManagedProcess(_spec(SLEEPER), log)
    assert not send(process.pid, "another start", signal.SIGKILL)
    assert process.exit_code is None
    process.stop()


def test_command_that_does_not_exist_is_said_so(log: Path) -> None:
    with pytest.raises(ProcessFailed, match="no-such-command"):
        ManagedProcess(ProcessSpec(name="child", argv=("no-such-command",)), log)


def test_early_end_shows_the_end_of_the_log(log: Path) -> None:
    process = ManagedProcess(_spec("raise SystemExit('the reason')"), log)
    with pytest.raises(ProcessFailed, match=r"exit code 1(?s:.)*the reason"):
        process.wait_ready(lambda: False, 60)


def test_stack_stops_its_processes_and_leaves_none(tmp_path: Path) -> None:
    with Stack(Settings(data_dir=tmp_path)) as stack:
        stack.start(_spec(SLEEPER, "one"))
        stack.start(_spec(SLEEPER, "two"))
        assert len(processes_of(tmp_path)) >= 2
        assert read_state(tmp_path).processes["two"].pid == stack.processes["two"].pid
    assert processes_of(tmp_path) <= {os.getpid()}
    assert {p.status for p in read_state(tmp_path).processes.values()} == {"stopped"}


def test_killed_process_starts_again_under_its_name(tmp_path: Path) -> None:
    with Stack(Settings(data_dir=tmp_path)) as stack:
        first = stack.start(_spec(SLEEPER, "one"))
        assert stack.kill("one") == 128 + signal.SIGKILL
        assert stack.restart("one").pid != first.pid


def test_a_name_runs_once(tmp_path: Path) -> None:
    with Stack(Settings(data_dir=tmp_path)) as stack:
        stack.start(_spec(SLEEPER, "one"))
        with pytest.raises(ConfigError, match="one runs already"):
            stack.start(_spec(SLEEPER, "one"))


def test_one_stack_a_folder(tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path)
    with Stack(settings), pytest.raises(ConfigError, match="prefstream down"), Stack(settings):
        pass


def test_process_that_does_not_get_ready_is_stopped(tmp_path: Path) -> None:
    with Stack(Settings(data_dir=tmp_path)) as stack:
        with pytest.raises(ProcessFailed, match="not ready"):
            stack.start(_spec(SLEEPER, "one"), ready=lambda: False, ready_timeout_s=0.1)
        assert stack.processes["one"].exit_code == 128 + signal.SIGTERM


def test_next_stack_ends_what_the_last_one_left(tmp_path: Path, log: Path) -> None:
    stray = subprocess.Popen([sys.executable, "-c", SLEEPER], stdout=subprocess.DEVNULL)
    entry = ProcessState(pid=stray.pid, started=start_mark(stray.pid) or "")
    update_state(tmp_path, lambda s: s.model_copy(update={"processes": {"stray": entry}}))
    with Stack(Settings(data_dir=tmp_path)):
        assert stray.wait(60) == -signal.SIGTERM
