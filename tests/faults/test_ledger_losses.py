"""The five ways in which faust as shipped loses events, on a real broker with our runner.

Each test would fail with faust's own consumer (facts.md); the two that need no broker to be shown
are in tests/unit/test_runner_consumer.py.
"""

from pathlib import Path

import pytest

from infra.settings import Settings
from streams.runner.worker_options import WorkerOptions
from tests.faults.tiny_stream import Worker, committed, feed, scripted, tail, wait_committed

pytestmark = [pytest.mark.faults, pytest.mark.integration]


@pytest.fixture
def flag(tmp_path: Path) -> Path:
    """The file that makes the tiny stage misbehave for as long as it exists."""
    path = tmp_path / "flag"
    path.touch()
    return path


def test_commits_stop_before_unfinished_work(
    fresh_broker: Settings, tmp_path: Path, flag: Path
) -> None:
    """Loss case 1: with concurrency above 1, later events finish before an earlier one."""
    later = [scripted(f"later-{n}") for n in range(40)]
    feed(fresh_broker, [scripted("first"), scripted("held", "held"), *later], partition=0)
    options = WorkerOptions(concurrency=8, instance="one")
    with tail(fresh_broker, "verifications") as out:
        with Worker(fresh_broker, tmp_path, options, flag) as worker:
            out.until_sources({"first", *(e.event_id for e in later)})
            assert wait_committed(fresh_broker, lambda offsets: offsets.get(0, 0) > 0) == {0: 1}
            worker.kill()
        assert committed(fresh_broker) == {0: 1}
        flag.unlink()
        with Worker(fresh_broker, tmp_path, options, flag):
            out.until_sources({"held"})
            wait_committed(fresh_broker, lambda offsets: offsets[0] == 42)


def test_an_exception_does_not_skip_the_event(
    fresh_broker: Settings, tmp_path: Path, flag: Path
) -> None:
    """Loss case 2: the worker stops with a sentence, and the event is read again."""
    feed(fresh_broker, [scripted("first"), scripted("boom", "boom"), scripted("last")], partition=0)
    options = WorkerOptions(concurrency=4, instance="one")
    with Worker(fresh_broker, tmp_path, options, flag) as worker:
        assert worker.wait() == 70
        assert "stopped by a defect" in worker.log()
    assert committed(fresh_broker).get(0, 0) <= 1
    flag.unlink()
    with Worker(fresh_broker, tmp_path, options, flag), tail(fresh_broker, "verifications") as out:
        out.until_sources({"first", "boom", "last"})


def test_work_that_outlives_sigterm_is_read_again(
    fresh_broker: Settings, tmp_path: Path, flag: Path
) -> None:
    """Loss case 3: finished work is committed, stuck work is not."""
    feed(fresh_broker, [scripted("first"), scripted("held", "held"), scripted("last")], partition=0)
    options = WorkerOptions(concurrency=4, instance="one", drain_s=0.5)
    with tail(fresh_broker, "verifications") as out:
        with Worker(fresh_broker, tmp_path, options, flag) as worker:
            out.until_sources({"first", "last"})
            assert worker.terminate() == 0
            assert "1 events unfinished, they will be read again" in worker.log()
        assert committed(fresh_broker) == {0: 1}
        flag.unlink()
        with Worker(fresh_broker, tmp_path, options, flag):
            out.until_sources({"held"})


def test_work_under_way_survives_a_rebalance(
    fresh_broker: Settings, tmp_path: Path, flag: Path
) -> None:
    """Loss case 5: when partitions move, unfinished work of the old generation counts as undone."""
    held = [scripted(f"held-{n}", "held") for n in range(8)]
    feed(fresh_broker, held)
    options = WorkerOptions(concurrency=8, drain_s=0.2)
    with Worker(fresh_broker, tmp_path, options, flag) as first:
        first.wait_health(lambda health: health.pending == len(held))
        with Worker(fresh_broker, tmp_path, options, flag) as second:
            second.wait_health(lambda health: health.partitions > 0)
            assert committed(fresh_broker) == {}
            flag.unlink()
            with tail(fresh_broker, "verifications") as out:
                out.until_sources({e.event_id for e in held})
            wait_committed(fresh_broker, lambda offsets: sum(offsets.values()) == len(held))
            assert second.terminate() == 0
            assert first.terminate() == 0
