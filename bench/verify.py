"""SQL checks a second through gate, sandbox and match, beside the official evaluator's work.

    python -m bench.verify [--data ../shared/data/spider] [--children 2] [--json]

Every check is one of 5,170 real predictions with its golden query, under `spider_exec`. `first` is
the first pass of a verifier whose children are warm: nothing is cached, every golden query runs
(twice, to see that it is deterministic). `warm` is the next pass: gate verdicts and gold results
are kept, every prediction runs again. The reference (`bench.spider_reference`) does the official
evaluator's work pair by pair in one process. Then where the time goes, part by part, and what each
fuzzed copy adds: in the first pass (built, gold run on it) and in a warm one.
"""

import argparse
import asyncio
import json
import time
from collections.abc import Sequence
from pathlib import Path

from bench.spider_data import SpiderData, load_spider
from bench.spider_reference import matches
from bench.verify_accepts import Prediction, predictions
from streams.verify.databases import Databases
from streams.verify.sandbox.limits import Limits
from streams.verify.sandbox.pool import SandboxPool
from streams.verify.sandbox.process import Child
from streams.verify.semantics import semantics
from streams.verify.settings import InstanceSettings, VerifySettings
from streams.verify.sql_gate import gate_sql
from streams.verify.verifier import Verifier

_DATA = Path(__file__).parents[2] / "shared/data/spider"
_WINDOW = 16
_TRIVIAL = "SELECT 1 FROM pets LIMIT 1"
_TRIPS = 2000
_STARTS = 5

Figures = dict[str, float]


async def passes(
    data: SpiderData, asked: Sequence[Prediction], *, children: int, copies: int
) -> tuple[float, float]:
    """Seconds of the first and of the best of two warm passes over all predictions."""
    settings = VerifySettings(
        sqlite_root="database",
        match="spider_exec",
        children=children,
        instances=InstanceSettings(copies=copies),
    )
    window = asyncio.Semaphore(_WINDOW)
    async with Verifier(settings, data.root) as verifier:

        async def verify(prediction: Prediction) -> None:
            async with window:
                expectation = data.questions[prediction.number].expectation
                await verifier.verify_output(prediction.sql, [expectation])

        taken = []
        for _ in range(3):
            started = time.perf_counter()
            await asyncio.gather(*map(verify, asked))
            taken.append(time.perf_counter() - started)
    return taken[0], min(taken[1:])


def reference(data: SpiderData, asked: Sequence[Prediction]) -> float:
    """Seconds of the official evaluator's work over all predictions."""
    started = time.perf_counter()
    for prediction in asked:
        question = data.questions[prediction.number]
        name = question.database
        file = data.root / "database" / name / f"{name}.sqlite"
        matches(file, question.gold, prediction.sql)
    return time.perf_counter() - started


async def parts(data: SpiderData, asked: Sequence[Prediction], children: int) -> Figures:
    """Milliseconds a check of each part; process time where only the parent works."""
    settings = VerifySettings(sqlite_root="database", match="spider_exec", children=children)
    chosen = semantics("spider_exec")
    found: Figures = {}
    async with SandboxPool(size=children) as pool:
        databases = Databases(settings, data.root, pool)
        names = [data.questions[prediction.number].database for prediction in asked]
        readable = {name: await databases.get(name) for name in set(names)}

        started = time.process_time()
        prepared = [chosen.prepare(prediction.sql, "sqlite") for prediction in asked]
        found["prepare_ms"] = (time.process_time() - started) / len(asked) * 1000

        started = time.process_time()
        for sql, name in zip(prepared, names, strict=True):
            each = readable[name]
            assert not isinstance(each, str)
            gate_sql(sql, dialect="sqlite", tables=each.tables)
        found["gate_ms"] = (time.process_time() - started) / len(asked) * 1000

        pets = readable["pets_1"]
        assert not isinstance(pets, str)
        started = time.perf_counter()
        for _ in range(_TRIPS):
            await pool.run(pets.database, _TRIVIAL)
        found["round_trip_ms"] = (time.perf_counter() - started) / _TRIPS * 1000

        in_child = 0.0
        started = time.process_time()
        for sql, name in zip(prepared, names, strict=True):
            each = readable[name]
            assert not isinstance(each, str)
            in_child += (await pool.run(each.database, sql)).duration_ms
        found["execution_in_child_ms"] = in_child / len(asked)
        parent_ms = (time.process_time() - started) / len(asked) * 1000
        found["send_and_load_rows_ms"] = parent_ms
    return found


async def child_start_s() -> float:
    """Median seconds from nothing to a confined child that takes queries."""
    taken = []
    for _ in range(_STARTS):
        started = time.perf_counter()
        child = await Child.start(Limits(), ("sqlite", "duckdb"), {}, frozenset())
        taken.append(time.perf_counter() - started)
        child.kill()
    return sorted(taken)[len(taken) // 2]


async def measure(root: Path, children: int) -> Figures:
    """All figures; the reference runs between the passes, under the same load."""
    data, asked = load_spider(root), list(predictions(root))
    figures: Figures = {"distinct_share": _distinct_share(data, asked)}
    base = await passes(data, asked, children=children, copies=0)
    figures["reference_per_s"] = len(asked) / await asyncio.to_thread(reference, data, asked)
    figures["first_per_s"], figures["warm_per_s"] = (len(asked) / taken for taken in base)
    figures["warm_over_reference"] = figures["warm_per_s"] / figures["reference_per_s"]
    figures |= await parts(data, asked, children)
    for copies in (1, 3):
        first, warm = await passes(data, asked, children=children, copies=copies)
        figures[f"first_with_{copies}_copies_per_s"] = len(asked) / first
        figures[f"warm_with_{copies}_copies_per_s"] = len(asked) / warm
        figures[f"each_of_{copies}_copies_first_ms"] = (first - base[0]) / copies / len(asked) * 1e3
        figures[f"each_of_{copies}_copies_warm_ms"] = (warm - base[1]) / copies / len(asked) * 1e3
    figures["child_start_s"] = await child_start_s()
    return figures


def _distinct_share(data: SpiderData, asked: Sequence[Prediction]) -> float:
    pairs = {(data.questions[each.number].database, each.sql) for each in asked}
    return len(pairs) / len(asked)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--data", type=Path, default=_DATA)
    parser.add_argument("--children", type=int, default=2)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    figures = asyncio.run(measure(options.data, options.children))
    if options.json:
        print(json.dumps(figures))
    else:
        for name, value in figures.items():
            print(f"{name:32}{value:12,.3f}")


if __name__ == "__main__":
    main()
