"""Real predictions through the real stream, compared with the official evaluator's verdicts.

    python -m bench.spider --data DIR [--predictions FILE]... [--labels FILE]... [--json]
                           [--questions N] [--kills N] [--match SEMANTICS]

DIR is a Spider folder (dev.json, dev_gold.sql, database/). A predictions file has one query a
line; labels default to FILE.official_labels.json beside it. Starts a Kafka node and a worker a
stage of its own, in a temporary folder. The last line is JSON; exit code 1 where an event is
missing or a pair prefers a failed answer.
"""

import argparse
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import get_args

from bench.spider_data import (
    System,
    candidate_sets,
    load_labels,
    load_predictions,
    load_spider,
)
from bench.spider_project import write_project
from bench.spider_report import Report, report, table_counts
from bench.spider_stream import SpiderStream, kill_rounds
from infra.settings import Settings
from infra.stack import Stack
from schemas.errors import PrefstreamError
from streams.verify.settings import MatchSemantics

_VARIANTS = {"spider_exec": "EX", "spider_exec_keep_distinct": "EX_keepdistinct"}
_DEFAULT_DATA = Path(__file__).parents[2] / "shared/data/spider"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the bench; returns the exit code."""
    options = _parse(arguments)
    try:
        found = run(options)
    except PrefstreamError as error:
        print(error, file=sys.stderr)
        return 1
    if not options.json:
        _print(found)
    print(found.model_dump_json(by_alias=True))
    wrong = found.lost or found.chosen_failed or found.tables_exact is False
    return 0 if found.accounting.closed and not wrong else 1


def run(options: argparse.Namespace) -> Report:
    """Stream the predictions and count. Raises PrefstreamError."""
    data = load_spider(options.data)
    paths = options.predictions or sorted((options.data / "predictions").glob("*.sql"))
    systems = [load_predictions(path) for path in paths]
    labels = _labels(paths, options.labels, systems, _VARIANTS.get(options.match, "EX"))
    sets = list(candidate_sets(data, systems))[: options.questions]
    with tempfile.TemporaryDirectory(prefix="prefstream-spider-") as folder:
        base = Settings()
        settings = base.model_copy(update={"data_dir": Path(folder) / "stack", "topic_prefix": ""})
        project = write_project(Path(folder) / "project", options.data, options.match)
        with Stack(settings) as stack:
            _say("starting Kafka")
            stack.start_kafka()
            started = time.monotonic()
            with SpiderStream(stack, settings, project, with_sink=options.kills > 0) as stream:
                if options.kills:
                    for number, name in kill_rounds(stream, sets, options.kills):
                        _say(f"round {number + 1}: killed {name}")
                else:
                    stream.feed(sets)
                stream.wait_done(lambda name: _say(f"waiting for {name}"))
                seconds = time.monotonic() - started
                return report(
                    stream.log(),
                    data,
                    systems,
                    labels,
                    seconds=seconds,
                    kills=options.kills * len(stream.names),
                    tables=table_counts(settings) if options.kills else None,
                )


def _labels(
    paths: Sequence[Path], given: Sequence[Path] | None, systems: Sequence[System], variant: str
) -> dict[str, tuple[str, ...]]:
    """Labels by system: those given, in the order of the predictions, or those found beside."""
    files = given or [path.with_suffix(".official_labels.json") for path in paths]
    return {
        system.name: load_labels(file, variant)
        for system, file in zip(systems, files, strict=given is None)
        if given or file.is_file()
    }


def _parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m bench.spider", description=__doc__.splitlines()[0]
    )
    parser.add_argument("--data", type=Path, default=_DEFAULT_DATA, help="the Spider folder")
    parser.add_argument(
        "--predictions", type=Path, action="append", help="a file, one query a line; repeatable"
    )
    parser.add_argument("--labels", type=Path, action="append", help="one a predictions file")
    parser.add_argument("--questions", type=int, help="only the first so many")
    parser.add_argument("--kills", type=int, default=0, help="SIGKILL every process so often")
    parser.add_argument("--match", choices=get_args(MatchSemantics), default="spider_exec")
    parser.add_argument("--json", action="store_true", help="nothing but the last line")
    return parser.parse_args(arguments)


def _print(found: Report) -> None:
    for name, system in found.systems.items():
        official = "" if system.official_accuracy is None else f"{system.official_accuracy:>10.4f}"
        print(f"{name:<24}{system.n:>6}{system.accuracy:>10.4f}{official}")
    for stage, account in found.accounting.stages.items():
        print(
            f"{stage:<8} in {account.taken} out {account.out} discarded {account.discarded} "
            f"dead {account.dead_lettered} pending {account.pending} "
            f"missing {account.missing_count}"
        )
    for example in found.examples:
        print(example)


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
