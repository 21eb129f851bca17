"""Memory of a judge worker over 100,000 comparisons: resident MiB at 20, 60 and 100 thousand.

    python -m bench.judge_memory [--comparisons 100000] [--json]

What a worker does with each record runs here in one process: decode, both orders through the
judge with its verdict store on disk, encode; with a model that answers at once as a server would.
"""

import argparse
import asyncio
import gc
import json
import tempfile
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from bench.judge_endpoint import MODEL, answer
from bench.judge_stage import sample_comparison, write_project
from infra.settings import Settings
from schemas.codec import Codec
from schemas.events import Comparison, Event
from streams.inference.chat import ChatAnswer
from streams.inference.openai import OpenAIModel
from streams.pipeline import build_stage
from streams.runner.attempt import Patience
from streams.runner.dead_letter import Arrival
from streams.runner.intake import Intake
from streams.runner.poison import PoisonLimit, PoisonWindow
from streams.runner.processor import Counts, Processor, decode

_AT = (0.2, 0.6, 1.0)
_IN_FLIGHT = 64
_PAGE_KIB = 4


def resident_mib() -> float:
    """Resident memory of this process."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * _PAGE_KIB / 1024


_ANSWER = answer()


async def _answer_at_once(*_: object) -> ChatAnswer:
    return _ANSWER


async def measure(comparisons: int, folder: Path) -> dict[str, float]:
    """MiB by the number of comparisons judged so far."""
    write_project(folder / "project", MODEL, _IN_FLIGHT)
    settings = Settings(data_dir=folder / "data", model_url="http://127.0.0.1:9/v1")
    stage = build_stage("judge", folder / "project", settings)
    codec = Codec()
    processor: Processor[Comparison] = Processor(
        stage=stage,
        intake=Intake(stage.name),
        patience=Patience(),
        poison=PoisonWindow(PoisonLimit()),
        counts=Counts(),
    )
    numbers = iter(range(comparisons))
    figures: dict[str, float] = {}

    async def deliver(outputs: Sequence[Event]) -> None:
        for output in outputs:
            codec.encode(output)

    async def work() -> None:
        for n in numbers:
            value = codec.encode(sample_comparison(n))
            arrival = Arrival(
                topic="comparisons",
                partition=0,
                offset=n,
                at=datetime(2026, 1, 1, tzinfo=UTC),
                key=None,
                value=value,
            )
            await processor(arrival, decode(codec, value, Comparison), deliver)
            if n + 1 in marks:
                gc.collect()
                figures[f"mib_at_{n + 1}"] = resident_mib()

    marks = {int(share * comparisons) for share in _AT}
    await asyncio.gather(*(work() for _ in range(_IN_FLIGHT)))
    await stage.aclose()
    assert processor.counts.sent == comparisons, processor.counts
    return figures


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--comparisons", type=int, default=100_000)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    # The stage is the project's own; only the network is left out.
    OpenAIModel.complete = _answer_at_once  # type: ignore[method-assign, assignment]
    with tempfile.TemporaryDirectory() as folder:
        figures = asyncio.run(measure(options.comparisons, Path(folder)))
    if options.json:
        print(json.dumps(figures))
        return
    for name, value in figures.items():
        print(f"{name:20}{value:12,.1f}")


if __name__ == "__main__":
    main()
