"""Messages a second through the verify stage on Kafka, for a cheap check, one worker.

    python -m bench.verify_stage [--events 20000] [--concurrency 64] [--json]

Starts a Kafka node of its own and one worker process of the real stage, and counts from the first
to the last verification by the broker's own clock, so that start-up does not count. The reference
in the same run is a plain confluent-kafka loop (consume, decode, verify, encode, produce, no
commits): what the runner's guarantees cost is the ratio.
"""

import argparse
import asyncio
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from confluent_kafka import TopicPartition

from bench.codec import sample_set
from bench.stage_stream import feed, rate, times_ms
from infra.kafka import bootstrap, consumer, ensure_topics, producer, topic_name
from infra.settings import Settings
from infra.stack import Stack
from infra.telemetry import set_up_logging
from schemas.codec import Codec
from schemas.events import CandidateSet, partition_key
from streams.runner.worker import run_worker
from streams.runner.worker_options import WorkerOptions
from streams.verify.settings import VerifySettings
from streams.verify.stage import VerifyStage

_CHEAP = VerifySettings(soft=("answer_present",))


def through_worker(settings: Settings, events: int, concurrency: int) -> float:
    """The rate of one worker process."""
    command = [sys.executable, "-m", "bench.verify_stage", "--worker", settings.model_dump_json()]
    with subprocess.Popen([*command, "--concurrency", str(concurrency)]) as worker:
        try:
            moments = list(times_ms(settings, "verifications", events))
        finally:
            worker.terminate()
    if len(moments) < events:
        raise SystemExit(f"only {len(moments)} of {events} came through")
    return rate(moments)


async def plain_loop(settings: Settings, events: int) -> float:
    """The rate of the same function between a plain consumer and a plain producer."""
    codec, stage = Codec(), VerifyStage(_CHEAP, Path(__file__).parent)
    reader, writer = consumer(settings, "plain"), producer(settings)
    topic = topic_name(settings, "samples")
    reader.assign([TopicPartition(topic, p, 0) for p in range(settings.partitions)])
    left, begin = events, 0.0
    while left:
        for message in reader.consume(500, timeout=5.0):
            begin = begin or time.perf_counter()
            event = codec.decode(message.value() or b"")
            assert isinstance(event, CandidateSet)
            for output in await stage(event):
                writer.produce(
                    topic_name(settings, "discards"),
                    key=partition_key(output).encode(),
                    value=codec.encode(output),
                )
                writer.poll(0)
            left -= 1
    writer.flush()
    taken_s = time.perf_counter() - begin
    reader.close()
    await stage.aclose()
    return events / taken_s


def measure(events: int, concurrency: int) -> dict[str, float]:
    """Both rates on one Kafka node."""
    with tempfile.TemporaryDirectory() as folder, Stack(Settings(data_dir=Path(folder))) as stack:
        stack.start_kafka()
        address = bootstrap(stack.settings)
        settings = stack.settings.model_copy(update={"bootstrap_servers": address})
        ensure_topics(settings)
        feed(settings, map(sample_set, range(events)))
        worker = through_worker(settings, events, concurrency)
        plain = asyncio.run(plain_loop(settings, events))
    return {"worker_per_s": worker, "plain_per_s": plain, "worker_over_plain": worker / plain}


def main() -> None:
    """Measure and print; ``--worker`` is the worker process."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--events", type=int, default=20_000)
    parser.add_argument("--concurrency", type=int, default=64)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--worker", metavar="SETTINGS", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.worker:
        settings = Settings.model_validate_json(options.worker)
        set_up_logging(settings)
        stage = VerifyStage(_CHEAP, Path(__file__).parent)
        chosen = WorkerOptions(concurrency=options.concurrency, instance="bench")
        sys.exit(run_worker(settings, stage, chosen))
    figures = measure(options.events, options.concurrency)
    if options.json:
        print(json.dumps(figures))
    else:
        for name, value in figures.items():
            print(f"{name:20}{value:12,.2f}")


if __name__ == "__main__":
    main()
