"""Events a second through codec and a pure stage function, on one core.

    python -m bench.codec [--events 20000] [--json]

The reference in the same run is fastavro's own read and write of the same bytes into plain
dictionaries: what validation and typed events cost is the ratio.
"""

import argparse
import asyncio
import io
import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import fastavro

from schemas.codec import Codec
from schemas.events import CandidateSet
from schemas.records import Candidate, Message, Purpose
from streams.pair import PairSettings, PairStage
from streams.verify.settings import VerifySettings
from streams.verify.stage import VerifyStage

Result = TypeVar("Result")

_EVENT_TIME = "2026-01-01T00:00:00Z"


def sample_set(n: int, candidates: int = 4) -> CandidateSet:
    """A small set of short answers, about 250 bytes of Avro."""
    return CandidateSet.model_validate(
        {
            "event_id": f"set-{n}",
            "occurred_at": _EVENT_TIME,
            "workload_id": "bench",
            "config_hash": "",
            "prompt_id": f"prompt-{n}",
            "messages": (Message(role="user", content=f"How much revenue in week {n}?"),),
            "purpose": Purpose.PRODUCTION,
            "candidates": tuple(
                Candidate(completion_id=f"{n}-{k}", output=f"Revenue was {n * k}.", model="bench")
                for k in range(candidates)
            ),
        }
    )


async def measure(events: int) -> dict[str, float]:
    """Rates in events a second: decode, encode, decode + verify + pair + encode, plain fastavro."""
    codec = Codec()
    verify = VerifyStage(VerifySettings(), project_dir=Path(__file__).parent)
    pair = PairStage(PairSettings())
    wire = [codec.encode(sample_set(n)) for n in range(events)]
    decoded, decode_s = _timed(lambda: [codec.decode(value) for value in wire])
    _, encode_s = _timed(lambda: [codec.encode(event) for event in decoded])

    begin = time.perf_counter()
    for value in wire:
        event = codec.decode(value)
        assert isinstance(event, CandidateSet)
        for verification in await verify(event):
            for output in await pair(verification):  # type: ignore[arg-type]
                codec.encode(output)
    chain_s = time.perf_counter() - begin
    await verify.aclose()

    schema = codec.registry.latest("samples").parsed
    records = [fastavro.schemaless_reader(io.BytesIO(v[5:]), schema, None) for v in wire]

    def plain() -> None:
        for value, record in zip(wire, records, strict=True):
            fastavro.schemaless_reader(io.BytesIO(value[5:]), schema, None)
            fastavro.schemaless_writer(io.BytesIO(), schema, record)

    _, plain_s = _timed(plain)
    return {
        "bytes": len(wire[0]),
        "decode_per_s": events / decode_s,
        "encode_per_s": events / encode_s,
        "verify_pair_per_s": events / chain_s,
        "fastavro_both_ways_per_s": events / plain_s,
        "codec_over_fastavro": (decode_s + encode_s) / plain_s,
    }


def _timed(work: Callable[[], Result]) -> tuple[Result, float]:
    begin = time.perf_counter()
    result = work()
    return result, time.perf_counter() - begin


def main() -> None:
    """Measure and print, one figure a line or one line of JSON."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--events", type=int, default=20_000)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    figures = asyncio.run(measure(options.events))
    if options.json:
        print(json.dumps(figures))
    else:
        for name, value in figures.items():
            print(f"{name:28}{value:12,.1f}")


if __name__ == "__main__":
    main()
