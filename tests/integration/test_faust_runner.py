"""The Kafka runner on a real broker: bad input, outages, limits, and the same events as local."""

from collections.abc import Sequence
from pathlib import Path

import pytest

from infra.kafka import topic_name
from infra.settings import Settings
from schemas.codec import Codec
from schemas.errors import ConfigError
from schemas.events import MAX_TEXT_BYTES, DeadLetter, Event
from streams.local import run_local
from streams.runner.dead_letter import HEAD_BYTES
from streams.runner.poison import PoisonLimit
from streams.runner.retry import RetryPolicy
from streams.runner.worker import run_worker
from streams.runner.worker_options import WorkerOptions
from tests.events import candidate, candidate_set, completion
from tests.faults.tiny_stage import TinyStage
from tests.faults.tiny_stream import (
    Worker,
    committed,
    feed,
    feed_bytes,
    scripted,
    tail,
    wait_committed,
)

pytestmark = pytest.mark.integration

QUICK = RetryPolicy(max_attempts=2, first_wait_s=0.01, max_wait_s=0.05)


def letters(events: Sequence[Event]) -> dict[int, DeadLetter]:
    """Dead letters by the offset they name."""
    return {e.offset: e for e in events if isinstance(e, DeadLetter)}


def test_bad_input_becomes_dead_letters_and_the_worker_lives(
    fresh_broker: Settings, tmp_path: Path
) -> None:
    codec = Codec()
    good = codec.encode(scripted("good"))
    big = candidate_set(candidate("a", "x" * (MAX_TEXT_BYTES + 1)), event_id="big")
    bad: list[tuple[bytes | None, str, str]] = [
        (b"not avro", "SchemaMismatch", "not the magic byte"),
        (good[:40], "SchemaMismatch", "truncated"),
        (b"\x00\x00\xff\xff\xff" + good[5:], "SchemaMismatch", ""),
        (b"", "SchemaMismatch", "too few"),
        (None, "SchemaMismatch", "no value"),
        (codec.encode(completion()), "SchemaMismatch", "wrong topic"),
        (codec.encode(big), "Poison", "at most 1,048,576"),
        (codec.encode(scripted("poison", "poison")), "Poison", "cannot read"),
        (codec.encode(scripted("tired", "transient")), "Transient", "tired"),
    ]
    feed_bytes(fresh_broker, [(b"k\xff", value) for value, _, _ in bad] + [(b"g", good)], 0)
    with Worker(fresh_broker, tmp_path, WorkerOptions(retry=QUICK)) as worker:
        with tail(fresh_broker, "dead-letters", "verifications") as out:
            made = out.until(lambda events: len(events) == len(bad) + 1)
        wait_committed(fresh_broker, lambda offsets: offsets.get(0) == len(bad) + 1)
        health = worker.health()
        assert (health.taken, health.sent, health.dead) == (len(bad) + 1, 1, len(bad))
        assert worker.terminate() == 0
    dead = letters(made)
    for offset, (value, error_class, part) in enumerate(bad):
        letter = dead[offset]
        assert letter.error_class == error_class
        assert part in letter.message
        assert (letter.topic, letter.partition, letter.key) == ("samples", 0, b"k\xff")
        assert letter.value == (value or b"")[:HEAD_BYTES]
        assert letter.value_bytes == len(value or b"")
    assert [dead[n].source_ids for n in (6, 7, 8)] == [("big",), ("poison",), ("tired",)]
    assert (dead[8].attempt, dead[8].retryable) == (2, True)


def test_an_outage_pauses_intake_and_loses_nothing(fresh_broker: Settings, tmp_path: Path) -> None:
    flag = tmp_path / "flag"
    flag.touch()
    # more events than the worker buffers, so that it stops fetching as well
    fed = [scripted(f"set-{n}", "down") for n in range(1000)]
    feed(fresh_broker, fed)
    options = WorkerOptions(concurrency=4, retry=QUICK, poll_interval_s=1.0)
    with Worker(fresh_broker, tmp_path, options, flag) as worker:
        paused = worker.wait_health(lambda health: health.paused_reason is not None)
        assert (paused.paused_reason, paused.alive, paused.ready) == ("unreachable", True, False)
        assert paused.taken <= 4
        # far past the poll interval, and two heartbeats later, it is still in the group
        assert worker.wait_health(lambda health: health.paused_for_s > 5).partitions > 0
        assert committed(fresh_broker) == {}
        flag.unlink()
        with tail(fresh_broker, "verifications", "dead-letters") as out:
            made = out.until_sources({e.event_id for e in fed})
        assert not letters(made)
        assert worker.wait_health(lambda health: health.ready).paused_reason is None
        assert worker.terminate() == 0
        assert "intake paused (unreachable): the tiny judge does not answer" in worker.log()


def test_mostly_poison_stops_the_worker(fresh_broker: Settings, tmp_path: Path) -> None:
    feed(fresh_broker, [scripted(f"set-{n}", "poison") for n in range(30)], partition=0)
    options = WorkerOptions(concurrency=1, poison=PoisonLimit(min_poison=10))
    with Worker(fresh_broker, tmp_path, options) as worker:
        assert worker.wait() == 70
        assert "10 of the last 10 events of workload 'shop'" in worker.log()
        assert "Traceback" not in worker.log()
    assert committed(fresh_broker).get(0, 0) <= 9


def test_a_fatal_stops_the_worker_with_its_sentence(fresh_broker: Settings, tmp_path: Path) -> None:
    feed(fresh_broker, [scripted("fatal", "fatal")])
    with Worker(fresh_broker, tmp_path) as worker:
        assert worker.wait() == 70
        assert "the licence of the tiny stage has run out; renew it" in worker.log()
        assert "Traceback" not in worker.log()


def test_a_missing_topic_is_said_at_once(fresh_broker: Settings) -> None:
    elsewhere = fresh_broker.model_copy(update={"topic_prefix": "nowhere-"})
    with pytest.raises(ConfigError, match=f"no topic {topic_name(elsewhere, 'samples')}"):
        run_worker(elsewhere, TinyStage())


async def test_local_gives_the_same_events(fresh_broker: Settings, tmp_path: Path) -> None:
    fed = [scripted(f"set-{n}", "poison" if n % 7 == 3 else "") for n in range(40)]
    feed(fresh_broker, fed)
    run = await run_local([TinyStage()], fed)
    with Worker(fresh_broker, tmp_path), tail(fresh_broker, "verifications", "dead-letters") as out:
        made = out.until_sources({e.event_id for e in fed})
    assert {e.event_id: e for e in made if not isinstance(e, DeadLetter)} == {
        e.event_id: e for e in run.outputs["verifications"]
    }
    assert sorted(e.source_ids for e in made if isinstance(e, DeadLetter)) == sorted(
        e.source_ids for e in run.dead_letters
    )
    assert run.unaccounted() == {}
