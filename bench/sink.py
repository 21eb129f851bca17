"""How fast the sink writes, beside plain inserts of the same rows in the same run.

    python -m bench.sink [--events 20000]

Needs no stack: it starts a broker of its own. One line a figure, with its ratio to the reference.
"""

import argparse
import tempfile
import threading
import time
from datetime import UTC, datetime
from pathlib import Path

from consumers.clickhouse.engine import embedded
from consumers.clickhouse.insert import Tables, decode
from consumers.clickhouse.lag import pending
from consumers.clickhouse.rows import row
from consumers.clickhouse.sink import Sink
from consumers.clickhouse.tables import KAFKA_COLUMNS, TABLES
from infra.kafka import producer, topic_name
from infra.settings import Settings
from infra.stack import Stack
from schemas.codec import Codec
from schemas.events import Completion
from schemas.records import Message, Origin
from streams.runner.dead_letter import Arrival

BLOCK_ROWS = 5000
TOPIC = "completions"


def completions(n: int) -> list[Completion]:
    """Answers of about 600 characters, each with an id of its own."""
    return [
        Completion(
            event_id=f"bench-{i}",
            occurred_at=datetime(2026, 1, 1, tzinfo=UTC),
            workload_id="bench",
            config_hash="",
            prompt_id=f"prompt-{i % 1000}",
            messages=(Message(role="user", content=f"Revenue of region {i % 50} by month?"),),
            output=f"SELECT month, sum(amount) FROM v_revenue WHERE region = {i}; " * 10,
            model="policy",
            origin=Origin.PRODUCTION,
        )
        for i in range(n)
    ]


def reference(tables: Tables, events: list[Completion], run: str) -> float:
    """Seconds to map and insert the events in blocks of 5,000 rows, without Kafka or Avro."""
    now = datetime.now(UTC)
    began_s = time.perf_counter()
    for first in range(0, len(events), BLOCK_ROWS):
        rows = [
            row(event) | dict(zip(KAFKA_COLUMNS, (run, 0, first + n, now), strict=True))
            for n, event in enumerate(events[first : first + BLOCK_ROWS])
        ]
        tables.insert(TABLES[TOPIC], rows, f"{run}:{first}")
    return time.perf_counter() - began_s


def decoding(codec: Codec, values: list[bytes]) -> float:
    """Seconds to decode and map the same messages, without inserting."""
    now = datetime.now(UTC)
    arrivals = [
        Arrival(topic=TOPIC, partition=0, offset=n, at=now, key=None, value=value)
        for n, value in enumerate(values)
    ]
    began_s = time.perf_counter()
    decode(codec, TABLES[TOPIC], "uuid", arrivals)
    return time.perf_counter() - began_s


def sinking(settings: Settings, tables: Tables, values: list[bytes]) -> float:
    """Seconds from the start of the sink to the commit of the last offset."""
    to = producer(settings)
    for n, value in enumerate(values):
        to.produce(topic_name(settings, TOPIC), key=f"prompt-{n % 1000}".encode(), value=value)
        to.poll(0)
    to.flush(60)
    sink = Sink(settings, tables, instance="bench")
    thread = threading.Thread(target=sink.run)
    began_s = time.perf_counter()
    thread.start()
    while pending(settings, [TOPIC])[TOPIC]:
        time.sleep(0.02)
    took_s = time.perf_counter() - began_s
    sink.stop()
    thread.join()
    return took_s


def main() -> None:
    """Run the bench and print its figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--events", type=int, default=20_000)
    n = parser.parse_args().events
    events = completions(n)
    codec = Codec()
    values = [codec.encode(event) for event in events]
    with (
        tempfile.TemporaryDirectory() as folder,
        Stack(Settings(data_dir=Path(folder), bootstrap_servers=None)) as stack,
    ):
        settings = stack.start_kafka()
        with embedded(settings.data_dir) as client:
            tables = Tables(client)
            reference(tables, events[:100], "warm-up")
            plain_s = reference(tables, events, "reference")
            decode_s = decoding(codec, values)
            sink_s = sinking(settings, tables, values)
    for name, seconds in (
        ("reference: map and insert", plain_s),
        ("decode and map", decode_s),
        ("sink: Kafka to committed rows", sink_s),
    ):
        print(f"{name:32} {n / seconds:10,.0f} rows/s   {plain_s / seconds:5.2f} × reference")


if __name__ == "__main__":
    main()
