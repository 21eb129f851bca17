"""What each way to compare accepts of 5,170 real predictions, beside the official labels.

    python -m bench.verify_accepts [--data ../shared/data/spider] [--copies 1,3,6] [--json]

The predictions are five systems' answers to Spider's dev set. A prediction is right here where the
official test suite of many database instances says so (label TS); execution on the one instance
that is published (label EX) takes 331 wrong ones for right. Every line of the table is a rule, how
many of the wrong it accepts, and how many of the right it turns away. Run under `spider_exec`, so
that the first line agrees with the labels; copies are what `verify.instances` adds to it.
"""

import argparse
import asyncio
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from bench.spider_data import SpiderData, load_labels, load_predictions, load_spider
from schemas.records import CheckStatus
from streams.verify.settings import InstanceSettings, MatchSemantics, VerifySettings
from streams.verify.verifier import Verifier

_DATA = Path(__file__).parents[2] / "shared/data/spider"
# In flight at a time: enough to keep the children busy while gold results are waited for.
_WINDOW = 16


@dataclass(frozen=True, kw_only=True)
class Prediction:
    """One system's answer to one question, and the official labels of it."""

    number: int
    sql: str
    ex: bool
    ts: bool


@dataclass(frozen=True, kw_only=True)
class Accepted:
    """How many of the wrong and of the right predictions a rule lets pass."""

    rule: str
    wrong: int
    right: int


def predictions(data: Path) -> Iterator[Prediction]:
    """Every prediction of every system that has labels."""
    for path in sorted((data / "predictions").glob("*.sql")):
        labels = path.with_suffix(".official_labels.json")
        answers = load_predictions(path).answers
        ex, ts = load_labels(labels, "EX"), load_labels(labels, "TS")
        for number, sql in enumerate(answers):
            yield Prediction(number=number, sql=sql, ex=ex[number] == "ok", ts=ts[number] == "ok")


async def statuses(
    data: SpiderData, asked: Sequence[Prediction], copies: int, match: MatchSemantics
) -> list[dict[str, CheckStatus]]:
    """What each check says of each prediction."""
    settings = VerifySettings(
        sqlite_root="database", match=match, instances=InstanceSettings(copies=copies)
    )
    window = asyncio.Semaphore(_WINDOW)
    async with Verifier(settings, data.root) as verifier:

        async def verify(prediction: Prediction) -> dict[str, CheckStatus]:
            async with window:
                expectation = data.questions[prediction.number].expectation
                verdict = await verifier.verify_output(prediction.sql, [expectation])
            return {check.name: check.status for check in verdict.checks}

        return list(await asyncio.gather(*map(verify, asked)))


def accepted(rule: str, asked: Sequence[Prediction], passes: Sequence[bool]) -> Accepted:
    """The rule's line of the table."""
    right = sum(one.ts and passed for one, passed in zip(asked, passes, strict=True))
    return Accepted(rule=rule, wrong=sum(passes) - right, right=right)


async def measure(root: Path, copies: Sequence[int], match: MatchSemantics) -> list[Accepted]:
    """The whole table: the labels' own lines, the rules on one instance, the copies."""
    data, asked = load_spider(root), list(predictions(root))
    lines = [
        accepted("official EX", asked, [one.ex for one in asked]),
        accepted("official TS", asked, [one.ts for one in asked]),
    ]
    for count in copies:
        found = await statuses(data, asked, count, match)
        if count == copies[0]:
            for rule, name in (("row count", "sql_row_count"), (match, "sql_result_match")):
                passes = [each.get(name) is CheckStatus.PASS for each in found]
                lines.append(accepted(rule, asked, passes))
        # SKIP after a match: no copy told anything, so the match stands
        passes = [
            each.get("sql_result_match") is CheckStatus.PASS
            and each["sql_instances"] in (CheckStatus.PASS, CheckStatus.SKIP)
            for each in found
        ]
        lines.append(accepted(f"{match} + {count} copies", asked, passes))
    return lines


def show(lines: Sequence[Accepted]) -> None:
    """The table, shares beside the counts."""
    truth = next(line for line in lines if line.rule == "official TS")
    total, right = lines[0], truth.right
    everything = sum(1 for _ in predictions(_DATA))
    wrong = everything - right
    print(f"{everything} predictions, {right} right and {wrong} wrong by the official test suite")
    print(f"{'rule':32}{'wrong accepted':>20}{'right accepted':>20}{'of EX-right':>22}")
    slipped = total.wrong
    for line in lines:
        caught = f"{(slipped - line.wrong) / slipped:.1%} caught" if line.wrong <= slipped else ""
        print(
            f"{line.rule:32}{line.wrong:>11} ({line.wrong / wrong:5.1%})"
            f"{line.right:>11} ({line.right / right:5.1%}){caught:>22}"
        )


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--data", type=Path, default=_DATA)
    parser.add_argument("--copies", default="1,3,6", help="numbers of copies, by comma")
    parser.add_argument("--match", default="spider_exec")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    copies = [int(count) for count in options.copies.split(",")]
    lines = asyncio.run(measure(options.data, copies, options.match))
    if options.json:
        print(json.dumps([line.__dict__ for line in lines]))
    else:
        show(lines)


if __name__ == "__main__":
    main()
