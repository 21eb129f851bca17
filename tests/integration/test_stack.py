"""The local stack on a real Kafka: it survives being killed, and leaves no process behind."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from consumers.review.people import PersonRole, add_person
from consumers.review.tables import open_database
from infra.kafka import bootstrap, producer, topic_name
from infra.plan import worker_process
from infra.settings import Settings
from infra.stack import Stack
from infra.stack_end import end_stack
from infra.stack_state import KafkaState, StackState, read_state
from infra.stack_status import stack_status
from infra.topic_log import LoggedEvent, read, snapshot
from tests.processes import processes_of
from tests.waiting import DEADLINE_S, wait_until

pytestmark = pytest.mark.integration

MESSAGES = 500


@pytest.fixture
def data_dir(tmp_path: Path) -> Iterator[Path]:
    """A stack's folder; whatever the test left running in it is ended."""
    folder = tmp_path / "stack"
    yield folder
    if folder.exists():
        end_stack(folder)


def _prefstream(data_dir: Path, *arguments: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-m", "cli.main", *arguments, "--data-dir", str(data_dir)],
        capture_output=True,
        text=True,
        check=False,
    )


def _kafka(state: StackState) -> KafkaState:
    assert state.kafka is not None
    return state.kafka


def _produce(settings: Settings) -> list[bytes]:
    client = producer(settings)
    values = [f"value {n}".encode() for n in range(MESSAGES)]
    for value in values:
        client.produce(topic_name(settings, "samples"), key=value, value=value)
    assert client.flush(60) == 0
    return values


def _values(logged: Iterator[LoggedEvent]) -> set[bytes]:
    return {message.value for message in logged if message.value is not None}


def test_killed_broker_starts_again_on_its_data(data_dir: Path) -> None:
    settings = Settings(data_dir=data_dir)
    with Stack(settings) as stack:
        stack.start_kafka()
        values = _produce(settings)
        ranges = snapshot(settings, "samples")
        before = _kafka(read_state(data_dir))

        assert stack.kill("kafka") == 128 + signal.SIGKILL
        began_s = time.monotonic()
        stack.restart("kafka")
        print(f"killed broker ready again after {time.monotonic() - began_s:.1f} s")

        after = _kafka(read_state(data_dir))
        assert after.pid != before.pid
        assert (after.bootstrap, after.cluster_id) == (before.bootstrap, before.cluster_id)
        assert snapshot(settings, "samples") == ranges
        assert _values(read(settings, ranges)) == set(values)
    assert processes_of(data_dir) <= {os.getpid()}


def test_up_status_down(data_dir: Path) -> None:
    began_s = time.monotonic()
    up = _prefstream(data_dir, "up", "--kafka-only", "--json")
    print(f"up took {time.monotonic() - began_s:.1f} s")
    assert up.returncode == 0, up.stderr
    report = json.loads(up.stdout)
    assert report["problem"] == ""
    assert {t["topic"]: t["partitions"] for t in report["topics"]}["samples"] == 4

    assert _prefstream(data_dir, "status").returncode == 0
    again = _prefstream(data_dir, "up", "--kafka-only")
    assert "already ran" in again.stderr

    down = _prefstream(data_dir, "down", "--json")
    assert json.loads(down.stdout)["stopped"] is True
    assert processes_of(data_dir) == set()
    assert _prefstream(data_dir, "status").returncode == 1
    assert json.loads(_prefstream(data_dir, "down", "--json").stdout)["stopped"] is False


def test_a_projects_review_pages_are_served_and_come_back(data_dir: Path, tmp_path: Path) -> None:
    (tmp_path / "pipeline.yaml").write_text("workload: tiny\n", encoding="utf-8")
    up = _prefstream(data_dir, "up", "--project", str(tmp_path), "--json")
    assert up.returncode == 0, up.stderr
    url = json.loads(up.stdout)["review"]
    assert httpx.get(f"{url}/sign-in").status_code == httpx.codes.OK
    status = _prefstream(data_dir, "status")
    assert url in status.stdout
    assert "nobody can sign in" in status.stderr
    with open_database(Settings(data_dir=data_dir)).begin() as connection:
        add_person(connection, "lea", PersonRole.LEAD, time.time())
    assert "nobody can sign in" not in _prefstream(data_dir, "status").stderr

    killed = read_state(data_dir).processes["review"].pid
    assert killed is not None
    os.kill(killed, signal.SIGKILL)

    def is_back() -> bool:
        report = json.loads(_prefstream(data_dir, "status", "--json").stdout)
        return report["review"] == url and read_state(data_dir).processes["review"].pid != killed

    wait_until(is_back, "the pages are back at the same address")
    assert _prefstream(data_dir, "down").returncode == 0
    assert processes_of(data_dir) == set()


def test_supervised_broker_that_is_killed_comes_back_by_itself(data_dir: Path) -> None:
    assert _prefstream(data_dir, "up", "--kafka-only").returncode == 0
    settings = Settings(data_dir=data_dir)
    values = _produce(settings)
    killed = _kafka(read_state(data_dir))
    assert killed.pid is not None
    os.kill(killed.pid, signal.SIGKILL)

    def is_back() -> bool:
        report = json.loads(_prefstream(data_dir, "status", "--json").stdout)
        return bool(report["topics"]) and _kafka(read_state(data_dir)).pid != killed.pid

    wait_until(is_back, "the broker is back")
    assert bootstrap(settings) == killed.bootstrap
    assert _values(read(settings, snapshot(settings, "samples"))) == set(values)


def test_nothing_is_left_when_the_supervisor_is_killed(data_dir: Path) -> None:
    assert _prefstream(data_dir, "up", "--kafka-only").returncode == 0
    supervisor = read_state(data_dir).supervisor
    assert supervisor is not None
    assert supervisor.pid is not None
    os.kill(supervisor.pid, signal.SIGKILL)
    wait_until(lambda: not processes_of(data_dir), "all processes are gone")


def test_interrupted_up_leaves_nothing(data_dir: Path) -> None:
    up = subprocess.Popen(
        [sys.executable, "-m", "cli.main", "up", "--kafka-only", "--data-dir", str(data_dir)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    wait_until(lambda: len(processes_of(data_dir)) > 2, "the broker is being started")
    up.send_signal(signal.SIGINT)
    assert up.wait(DEADLINE_S) != 0
    assert processes_of(data_dir) == set()


def test_stack_that_cannot_come_up_says_why_and_leaves_nothing(
    data_dir: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    java = tmp_path / "bin" / "java"
    java.parent.mkdir()
    java.write_text(
        "#!/bin/sh\n"
        "[ $1 = -version ] && echo 'version \"17.0\"' && exit\n"
        "echo 'no luck' >&2; exit 3\n"
    )
    java.chmod(0o755)
    monkeypatch.setenv("JAVA_HOME", str(tmp_path))
    up = _prefstream(data_dir, "up", "--kafka-only")
    assert up.returncode != 0
    assert "no luck" in up.stderr
    assert "Traceback" not in up.stderr
    assert processes_of(data_dir) == set()


def test_a_worker_ends_in_its_grace_though_the_broker_is_gone(
    data_dir: Path, tmp_path: Path
) -> None:
    (tmp_path / "pipeline.yaml").write_text("workload: tiny\n", encoding="utf-8")
    with Stack(Settings(data_dir=data_dir)) as stack:
        stack.start_kafka()
        worker = worker_process("pair", tmp_path)
        stack.start(worker.spec)

        def has_joined() -> bool:
            groups = stack_status(stack.settings).groups
            return any(group.members for group in groups if group.group.endswith("pair"))

        wait_until(has_joined, "the worker is in its group")
        stack.kill("kafka")
        assert stack.stop("worker-pair") == 0, "it was killed"
