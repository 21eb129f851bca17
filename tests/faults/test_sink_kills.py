"""The sink killed again and again during a stream: counts and sums stay exact."""

import re
from contextlib import closing
from functools import partial
from pathlib import Path

import pytest
from confluent_kafka import TopicPartition

from consumers.clickhouse.lag import SINK_GROUP, wait_caught_up
from infra.kafka import consumer, group_name, topic_name
from infra.settings import Settings
from tests.events import completion
from tests.sinks import SinkProcess, produce
from tests.waiting import DEADLINE_S, wait_until

pytestmark = [pytest.mark.faults, pytest.mark.integration]

EVENTS = 10_000
REPEATED = 500
KILLS = 10


class Progress:
    """How many messages the sink's group is done with, asked over one open connection."""

    def __init__(self, settings: Settings) -> None:
        self._reader = consumer(settings, group_name(settings, SINK_GROUP))
        name = topic_name(settings, "completions")
        self._parts = [TopicPartition(name, n) for n in range(settings.partitions)]

    def reached(self, messages: int) -> bool:
        found = self._reader.committed(self._parts, timeout=15)
        return sum(max(part.offset, 0) for part in found) >= messages

    def close(self) -> None:
        self._reader.close()


def test_a_killed_sink_loses_nothing_and_writes_nothing_twice(
    fresh_broker: Settings, tmp_path: Path
) -> None:
    events = [
        completion(
            event_id=f"c{n}", prompt_id=f"p{n % 97}", slice=f"s{n % 5}", output="x" * (n % 50)
        )
        for n in range(EVENTS)
    ]
    # The same ids again, saying something else: the first offset wins.
    again = [event.model_copy(update={"output": "changed"}) for event in events[:REPEATED]]
    produce(fresh_broker, [*events, *again])
    messages = EVENTS + REPEATED
    argv = ("-m", "tests.faults.small_sink")
    with SinkProcess(fresh_broker, tmp_path / "sink.log", argv) as sink:
        with closing(Progress(fresh_broker)) as progress:
            for kill in range(KILLS):
                share = (kill + 1) * messages // (KILLS + 2)
                wait_until(partial(progress.reached, share), f"{share} committed")
                sink.kill()
                sink.start()
        wait_caught_up(fresh_broker, DEADLINE_S)
        sink.wait_serving()
        arrived = sink.rows(
            "SELECT count(), uniqExact((kafka_partition, kafka_offset)), sum(output_length) "
            "FROM arrivals"
        )
        length = sum(len(event.output) for event in events)
        assert arrived == [(messages, messages, length + REPEATED * len("changed"))]
        by_slice = sink.rows(
            "SELECT slice, count(), sum(output_length) FROM completions_first "
            "GROUP BY slice ORDER BY slice"
        )
        assert by_slice == [
            (
                f"s{k}",
                EVENTS // 5,
                sum(len(event.output) for event in events if event.slice == f"s{k}"),
            )
            for k in range(5)
        ]
        assert sink.terminate() == 0
    # At least one kill must have hit a block between its plan and its commit.
    replays = re.findall(r"replays=([1-9]\d*)", (tmp_path / "sink.log").read_text())
    assert replays
    print(f"{len(replays)} of {KILLS} kills left blocks to replay")
