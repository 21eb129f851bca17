"""Candidate sets in, worker processes between, events out: what the runner's tests share."""

import json
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from urllib.request import urlopen
from uuid import uuid4

from confluent_kafka import TopicPartition

from infra import topic_log
from infra.kafka import consumer, producer, topic_name
from infra.settings import Settings
from schemas.codec import Codec
from schemas.events import CandidateSet, Event
from streams.runner.health import Health
from streams.runner.worker_options import WorkerOptions
from streams.topology import consumer_group
from tests.events import candidate, candidate_set
from tests.faults.tiny_stage import TinyOptions
from tests.waiting import DEADLINE_S

ROOT = Path(__file__).parents[2]


def scripted(event_id: str, order: str = "") -> CandidateSet:
    """A set that tells the tiny stage what to do."""
    return candidate_set(
        candidate(f"{event_id}-answer", order), event_id=event_id, prompt_id=f"prompt-{event_id}"
    )


def feed(settings: Settings, events: Sequence[Event], partition: int | None = None) -> None:
    """Put events on the stage's input topic, all in one partition where order matters."""
    codec = Codec()
    feed_bytes(settings, [(e.event_id.encode(), codec.encode(e)) for e in events], partition)


def feed_bytes(
    settings: Settings,
    records: Sequence[tuple[bytes, bytes | None]],
    partition: int | None = None,
) -> None:
    """Put raw keys and values on the stage's input topic."""
    client = producer(settings)
    anywhere = -1  # librdkafka's word for "by the key"
    place = anywhere if partition is None else partition
    for key, value in records:
        client.produce(topic_name(settings, "samples"), key=key, value=value, partition=place)
        client.poll(0)
    assert client.flush(DEADLINE_S) == 0


class Tail:
    """Everything on some topics, from their beginning."""

    def __init__(self, settings: Settings, *topics: str) -> None:
        self._codec = Codec()
        self._client = consumer(settings, f"tail-{uuid4().hex}")
        self._client.assign(
            [
                TopicPartition(topic_name(settings, topic), partition, 0)
                for topic in topics
                for partition in range(settings.partitions)
            ]
        )
        self.events: list[Event] = []

    def until(self, enough: Callable[[Sequence[Event]], bool]) -> list[Event]:
        """Read on until it is enough; fails at the deadline with what there was."""
        deadline = time.monotonic() + DEADLINE_S
        while not enough(self.events):
            assert time.monotonic() < deadline, f"only {len(self.events)} events came"
            for message in self._client.consume(500, timeout=0.2):
                assert message.error() is None, message.error()
                self.events.append(self._codec.decode(message.value() or b""))
        return self.events

    def until_sources(self, ids: set[str]) -> list[Event]:
        """Read on until every one of these ids is named as a source."""
        return self.until(lambda events: ids <= {s for e in events for s in e.source_ids})

    def until_count(self, events: int) -> list[Event]:
        """Read on until this many came, duplicates counted."""
        return self.until(lambda seen: len(seen) >= events)

    def close(self) -> None:
        self._client.close()


@contextmanager
def tail(settings: Settings, *topics: str) -> Iterator[Tail]:
    """A tail that is closed after use."""
    reader = Tail(settings, *topics)
    try:
        yield reader
    finally:
        reader.close()


def committed(settings: Settings) -> dict[int, int]:
    """Committed offsets of the stage's group by partition."""
    return topic_log.committed(settings, consumer_group("verify"), "samples")


def wait_committed(settings: Settings, enough: Callable[[dict[int, int]], bool]) -> dict[int, int]:
    """Ask for committed offsets until they are enough; fails at the deadline."""
    deadline = time.monotonic() + DEADLINE_S
    while not enough(offsets := committed(settings)):
        assert time.monotonic() < deadline, f"only {offsets} committed"
        time.sleep(0.1)  # between questions to the broker
    return offsets


class Worker:
    """A worker process of the tiny stage; killed on leaving the block if it still runs."""

    def __init__(
        self,
        settings: Settings,
        folder: Path,
        options: WorkerOptions | None = None,
        flag: Path | None = None,
    ) -> None:
        told = TinyOptions(settings=settings, worker=options or WorkerOptions(), flag=flag)
        self._log = folder / f"worker-{uuid4().hex[:6]}.log"
        with self._log.open("w") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "tests.faults.tiny_stage", told.model_dump_json()],
                cwd=ROOT,
                stdout=log,
                stderr=subprocess.STDOUT,
            )

    def __enter__(self) -> "Worker":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.kill()

    def log(self) -> str:
        """What it has written so far."""
        return self._log.read_text()

    def health(self) -> Health:
        """What it answers on its health port."""
        deadline = time.monotonic() + DEADLINE_S
        while not (found := re.search(r"health at (\S+)", self.log())):
            assert time.monotonic() < deadline, self.log()
            assert self._process.poll() is None, self.log()
            time.sleep(0.05)  # between looks at its log
        with urlopen(found.group(1)) as answer:
            return Health.model_validate(json.loads(answer.read()))

    def wait_health(self, enough: Callable[[Health], bool]) -> Health:
        """Ask until the answer is enough; fails at the deadline."""
        deadline = time.monotonic() + DEADLINE_S
        while not enough(health := self.health()):
            assert time.monotonic() < deadline, f"{health}\n{self.log()}"
            time.sleep(0.05)  # between questions
        return health

    def terminate(self) -> int:
        """SIGTERM, and its exit status."""
        self._process.send_signal(signal.SIGTERM)
        return self.wait()

    def wait(self) -> int:
        """Its exit status, once it has ended by itself."""
        return self._process.wait(DEADLINE_S)

    def kill(self) -> None:
        """SIGKILL."""
        if self._process.poll() is None:
            self._process.kill()
            self._process.wait()
