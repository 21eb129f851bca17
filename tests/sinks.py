"""A real sink process on a real broker, for tests; and what tests put in its way."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterable
from pathlib import Path
from types import TracebackType
from typing import Any

from infra.clickhouse import client
from infra.kafka import producer, topic_name
from infra.settings import Settings
from infra.stack_state import read_state
from schemas.codec import Codec
from schemas.events import TOPICS, Event, partition_key
from tests.waiting import DEADLINE_S


class SinkProcess:
    """`prefstream sink` in a process of its own, which a test may kill and start again."""

    def __init__(
        self,
        settings: Settings,
        log: Path,
        argv: tuple[str, ...] = ("-c", "from cli.sink import sink; sink()"),
    ) -> None:
        self._settings = settings
        self._argv = argv
        self._log = log
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> "SinkProcess":
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._process is not None and self._process.poll() is None:
            self.kill()

    def start(self) -> None:
        """Start it; does not wait."""
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                [sys.executable, *self._argv],
                env=os.environ | self._settings.environment(),
                stdout=log,
                stderr=log,
            )

    @property
    def running(self) -> subprocess.Popen[bytes]:
        """The process as it runs now."""
        assert self._process is not None
        return self._process

    def wait_serving(self) -> None:
        """Return once it owns the tables and has said where."""
        until_s = time.monotonic() + DEADLINE_S
        while True:
            owner = read_state(self._settings.data_dir).clickhouse
            if owner is not None and owner.pid == self.running.pid:
                return
            assert self.running.poll() is None, self._log.read_text()
            assert time.monotonic() < until_s, self._log.read_text()
            time.sleep(0.02)

    def kill(self) -> None:
        """SIGKILL, and wait until it is gone."""
        self.running.kill()
        self.running.wait()

    def terminate(self) -> int:
        """SIGTERM; returns the exit code."""
        self.running.send_signal(signal.SIGTERM)
        return self.running.wait(timeout=DEADLINE_S)

    def rows(self, sql: str, **parameters: str) -> list[tuple[Any, ...]]:
        """What the statement answers over the sink's HTTP front."""
        with client(self._settings) as reader:
            return [tuple(row) for row in reader.query(sql, parameters=parameters).result_rows]


def produce(settings: Settings, events: Iterable[Event]) -> None:
    """Deliver the events to their topics."""
    codec = Codec()
    to = producer(settings)
    for event in events:
        to.produce(
            topic_name(settings, TOPICS[type(event)]),
            key=partition_key(event).encode(),
            value=codec.encode(event),
        )
        to.poll(0)
    assert to.flush(DEADLINE_S) == 0


def produce_bytes(settings: Settings, topic: str, *values: bytes) -> None:
    """Deliver raw values."""
    to = producer(settings)
    for value in values:
        to.produce(topic_name(settings, topic), key=b"k", value=value)
    assert to.flush(DEADLINE_S) == 0
