"""Workers killed again and again during a stream; every event is counted by its id."""

from pathlib import Path

import pytest

from infra.settings import Settings
from schemas.codec import Codec
from streams.runner.worker_options import WorkerOptions
from tests.faults.tiny_stream import Worker, feed, scripted, tail, wait_committed

pytestmark = [pytest.mark.faults, pytest.mark.integration]

EVENTS = 2000
KILLS = 4


def test_killed_workers_lose_nothing(fresh_broker: Settings, tmp_path: Path) -> None:
    """0 lost; what was done twice has the same id and the same bytes."""
    fed = [scripted(f"set-{n}", f"slow:{0.002 * (n % 10)}") for n in range(EVENTS)]
    feed(fresh_broker, fed)
    ids = {e.event_id for e in fed}

    def start(name: str) -> Worker:
        return Worker(fresh_broker, tmp_path, WorkerOptions(concurrency=8, instance=name))

    workers = {name: start(name) for name in ("a", "b")}
    try:
        with tail(fresh_broker, "verifications", "dead-letters") as out:
            for kill in range(KILLS):
                out.until_count((kill + 1) * EVENTS // 6)
                name = "ab"[kill % 2]
                workers[name].kill()
                workers[name] = start(name)
            made = out.until_sources(ids)
            wait_committed(fresh_broker, lambda offsets: sum(offsets.values()) == EVENTS)
            assert [worker.terminate() for worker in workers.values()] == [0, 0]
            made = out.until_sources(ids)
    finally:
        for worker in workers.values():
            worker.kill()
    codec = Codec()
    bytes_by_id: dict[str, set[bytes]] = {}
    for event in made:
        bytes_by_id.setdefault(event.event_id, set()).add(codec.encode(event))
    assert len(bytes_by_id) == EVENTS
    assert all(len(versions) == 1 for versions in bytes_by_id.values())
    print(f"{len(made) - EVENTS} of {EVENTS} events were done twice over {KILLS} kills")
