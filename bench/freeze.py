"""Rows a second of freeze, and its memory, by the size of the log.

    python -m bench.freeze [--rows 100000 400000] [--json]

The log is made here: preferences of about 1 kB in Avro as Kafka gives them, one in ten repeated and
one in twenty of another source. Each size runs in a process of its own, whose peak memory is given.
The reference in the same run is decoding alone, one event after the other.
"""

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa

from schemas.codec import Codec
from schemas.events import Preference
from schemas.records import Message, PreferenceSource
from trainer.freeze import FreezeSettings, freeze
from trainer.row_hash import newest_schema
from trainer.staged_log import LogValues, stage

_SIZES = (100_000, 400_000, 1_000_000)
_DECODED = 5_000
# As long as any number, so that a row is made by putting its number there.
_PLACE = "000000000"
# Shares no factor with 10^9: every number comes once, and in no order, as content ids do.
_STRIDE = 387_420_489


def values(rows: int) -> Iterator[bytes]:
    """The log."""
    codec = Codec()
    rlaif, thumbs = (
        codec.encode(_row(source)) for source in (PreferenceSource.RLAIF, PreferenceSource.THUMBS)
    )
    place = _PLACE.encode()
    for n in range(rows):
        # every tenth row repeats the one before it
        number = f"{(n - (n % 10 == 9)) * _STRIDE % 10**9:09}".encode()
        yield (thumbs if n % 20 == 0 else rlaif).replace(place, number)


def _row(source: PreferenceSource) -> Preference:
    def said(role: str, text: str) -> tuple[Message, ...]:
        return (Message(role=role, content=text),)

    return Preference.model_validate(
        {
            "event_id": f"event-{_PLACE}",
            "occurred_at": "2026-01-01T00:00:00Z",
            "workload_id": "bench",
            "config_hash": "0" * 16 + "f",
            "source_ids": (f"judgment-{_PLACE}",),
            "prompt_id": f"prompt-{_PLACE}",
            "prompt": said("user", f"What was revenue in week {_PLACE}? " + "Context. " * 20),
            "chosen": said("assistant", f"It was {_PLACE}. " + "Because of this. " * 15),
            "rejected": said("assistant", f"Not {_PLACE}. " + "Because of that. " * 15),
            "chosen_id": f"{_PLACE}-a",
            "rejected_id": f"{_PLACE}-b",
            "source": source,
            "rubric_version": "1",
            "teacher_model": "judge",
            "judge_config_hash": "judge",
            "margin": 1.5,
            "agreement": 1.0,
            "chosen_checks": {"sql": "PASS"},
            "chosen_length": 280,
            "rejected_length": 270,
        }
    )


def one_size(rows: int) -> dict[str, float]:
    """Freeze a log of that many rows, and say how long and how much memory it took."""
    # Arrow loads pandas with its first array: a start, as the imports above are.
    pa.array([0])
    with tempfile.TemporaryDirectory() as name:
        parts = Path(name) / "parts"
        parts.mkdir()
        begin, cpu = time.perf_counter(), _cpu_s()
        log = stage(LogValues(values=values(rows)), newest_schema(), parts)
        staged = time.perf_counter()
        manifest = freeze(log, FreezeSettings(), (), Path(name) / "out")
        seconds, cpu = time.perf_counter() - begin, _cpu_s() - cpu
    if manifest.read != rows:
        raise SystemExit(f"{manifest.read} of {rows} rows were read")
    return {
        "rows_per_s": rows / seconds,
        "rows_per_cpu_s": rows / cpu,
        "stage_s": staged - begin,
        "rules_s": seconds - (staged - begin),
        "peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1000,
    }


def _cpu_s() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def measure(sizes: list[int]) -> dict[str, float]:
    """The figures of every size, and of decoding alone."""
    codec, some = Codec(), list(values(_DECODED))
    begin = time.process_time()
    for value in some:
        codec.decode(value)
    figures = {
        "bytes_a_row": float(len(some[0])),
        "decode_alone_rows_per_cpu_s": _DECODED / (time.process_time() - begin),
    }
    for rows in sizes:
        command = [sys.executable, "-m", "bench.freeze", "--rows", str(rows), "--child"]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
        found: dict[str, float] = json.loads(done.stdout)
        figures |= {f"{rows}_{name}": value for name, value in found.items()}
    return figures


def main() -> None:
    """Measure and print, one figure a line or one line of JSON."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--rows", type=int, nargs="+", default=list(_SIZES))
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--child", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.child:
        print(json.dumps(one_size(*options.rows)))
        return
    figures = measure(options.rows)
    if options.json:
        print(json.dumps(figures))
    else:
        for name, value in figures.items():
            print(f"{name:28}{value:14,.1f}")


if __name__ == "__main__":
    main()
