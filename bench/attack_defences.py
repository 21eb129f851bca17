"""What each defence of the judge is worth: the attack suite with it, and without it.

    python -m bench.attack_defences --record attacks.jsonl [--judge credulous] [--set-up NAME]
    python -m bench.attack_defences --record attacks.jsonl --show [--json]

Every attack of the suite before and after the worse answer and in the prompt, through the judge
stage as it runs; one row a set-up: all defences, each left off alone, and as many off as can be.
The same attacks on the same pairs in every row. Outcomes are added to the record, and what stands
there is not asked again, so that a long table can be made in pieces.

Two judges. Harbor's, on simulated anchors with a known better answer: it knows only prompts with
the instruction behind the data, so that defence cannot be left off there, and the row says that it
decides nothing then. And a scripted one with the weaknesses that chat models are known for
(credulous_judge.py): it shows what each defence keeps from such a reader, not how a real one errs.
"""

import argparse
import asyncio
import json
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import islice
from pathlib import Path
from typing import Final

from bench.credulous_judge import CredulousJudge, credulous_pairs
from examples.harbor.anchors import anchors
from examples.harbor.judge.model import CHECKPOINT, MAX_OPINION_TOKENS
from examples.harbor.judge.train import PROJECT, RUBRIC
from infra.jsonl import load_jsonl
from schemas.events import Comparison
from schemas.records import Record, Winner
from streams.inference.chat import ChatModel
from streams.inference.in_process import InProcessModel
from streams.judge.attack.measure import AttackReport, Outcome, report
from streams.judge.attack.pairs import PairRow, comparison
from streams.judge.attack.run import attack
from streams.judge.attack.suite import Place
from streams.judge.defences import ALL_DEFENCES, Defences
from streams.judge.judges import Judges
from streams.judge.member import Member
from streams.judge.rubric import load_rubric
from streams.judge.settings import JudgeSettings
from streams.judge.stage import JudgeStage

Pairs = Sequence[tuple[Comparison, Winner]]


class SetUp(Record):
    """What is on."""

    defences: Defences = ALL_DEFENCES
    pre_checks: bool = True


SET_UPS: Final[Mapping[str, SetUp]] = {
    "all defences": SetUp(),
    "without the nonce": SetUp(defences=Defences(nonce=False)),
    "without neutralising": SetUp(defences=Defences(neutralise=False)),
    "instruction before the data": SetUp(defences=Defences(repeat_instruction=False)),
    "without pre-checks": SetUp(pre_checks=False),
    "only the repeated instruction": SetUp(
        defences=Defences(nonce=False, neutralise=False), pre_checks=False
    ),
    "none": SetUp(
        defences=Defences(nonce=False, neutralise=False, repeat_instruction=False),
        pre_checks=False,
    ),
}


class Tried(Record):
    """One line of the record."""

    judge: str
    set_up: str
    outcome: Outcome


def harbor_pairs(count: int) -> Pairs:
    """Anchors of the calibration split that have a worse side, as planted."""
    faulty = (anchor for anchor in anchors("calibration") if anchor.faulty is not None)
    rows = (
        PairRow(
            prompt=anchor.question.text,
            better=anchor.b if anchor.faulty == "A" else anchor.a,
            worse=anchor.a if anchor.faulty == "A" else anchor.b,
        )
        for anchor in faulty
    )
    return [comparison(row, RUBRIC) for row in islice(rows, count)]


JUDGES: Final[Mapping[str, tuple[Callable[[], ChatModel], Callable[[int], Pairs]]]] = {
    "harbor": (lambda: InProcessModel(CHECKPOINT), harbor_pairs),
    "credulous": (CredulousJudge, lambda count: credulous_pairs(count, RUBRIC)),
}


async def outcomes(
    judge: str, set_up: SetUp, place: Place, count: int, repeats: int
) -> list[Outcome]:
    """The suite at one place, against one judge under one set-up."""
    opened, known = JUDGES[judge]
    settings = JudgeSettings(
        model=judge,
        rubric=RUBRIC,
        max_tokens=MAX_OPINION_TOKENS,
        top_logprobs=8,
        defences=set_up.defences,
        pre_checks=set_up.pre_checks,
    )
    rubric = load_rubric(PROJECT, RUBRIC)
    member = Member(settings, rubric, opened(), nonce_key=b"a key that no attack knows")
    stage = JudgeStage(settings, Judges([member]))
    try:
        return await attack(stage, known(count), repeats, places=[place])
    finally:
        await stage.aclose()


def report_of(tried: Sequence[Tried], judge: str, set_up: str) -> AttackReport | None:
    """The figures of one row; None where it decides no pair rightly."""
    try:
        return report([t.outcome for t in tried if (t.judge, t.set_up) == (judge, set_up)])
    except ValueError:  # nothing to count
        return None


def _lines(tried: Sequence[Tried]) -> Iterator[str]:
    for judge in dict.fromkeys(one.judge for one in tried):
        names = list(dict.fromkeys(one.set_up for one in tried if one.judge == judge))
        found = {name: report_of(tried, judge, name) for name in names}
        yield ""
        yield f"{judge:30} {'n':>5} {'won':>5} {'upper':>7} {'abstained':>9} {'shift':>6} left out"
        for name, whole in found.items():
            if whole is None:
                yield f"{name:30} decides no pair rightly, attacked or not"
                continue
            one = whole.all
            yield (
                f"{name:30} {one.n:5} {one.succeeded:5} {one.upper_bound:7.1%} {one.abstained:9} "
                f"{one.margin_shift or 0:+6.2f} {whole.left_out}"
            )
        counted = {name: whole for name, whole in found.items() if whole is not None}
        yield ""
        yield "won / abstained / n (upper bound), by family: " + "; ".join(counted)
        for family in sorted({name for whole in counted.values() for name in whole.families}):
            cells = [whole.families[family] for whole in counted.values()]
            yield f"{family:20} " + "  ".join(
                f"{c.succeeded:3}/{c.abstained:3}/{c.n:3} ({c.upper_bound:5.1%})" for c in cells
            )


def main() -> None:
    """Add to the record, or print its table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--record", type=Path, required=True, help="JSONL of what was tried")
    parser.add_argument("--judge", choices=list(JUDGES), default="harbor")
    parser.add_argument("--set-up", action="append", choices=list(SET_UPS), help="default: all")
    parser.add_argument("--place", action="append", choices=list(Place.__members__))
    parser.add_argument("--pairs", type=int, default=120, help="comparisons that are attacked")
    parser.add_argument("--repeats", type=int, default=2, help="of each text at each place")
    parser.add_argument("--show", action="store_true", help="print the table, try nothing")
    parser.add_argument("--json", action="store_true", dest="as_json")
    options = parser.parse_args()
    tried = list(load_jsonl(options.record, Tried)) if options.record.exists() else []
    done = {(one.judge, one.set_up, one.outcome.place) for one in tried}
    for set_up in [] if options.show else options.set_up or SET_UPS:
        for place in (Place[name] for name in options.place or Place.__members__):
            if (options.judge, set_up, place) in done:
                continue
            sys.stderr.write(f"{options.judge}: {set_up}, {place.value}\n")
            found = asyncio.run(
                outcomes(options.judge, SET_UPS[set_up], place, options.pairs, options.repeats)
            )
            rows = [Tried(judge=options.judge, set_up=set_up, outcome=one) for one in found]
            with options.record.open("a", encoding="utf-8") as file:
                file.writelines(f"{row.model_dump_json()}\n" for row in rows)
            tried += rows
    if options.as_json:
        reports = {
            f"{judge}: {name}": whole.model_dump(mode="json") if whole else None
            for judge, name in dict.fromkeys((one.judge, one.set_up) for one in tried)
            for whole in [report_of(tried, judge, name)]
        }
        sys.stdout.write(json.dumps(reports) + "\n")
    else:
        sys.stdout.write("\n".join(_lines(tried)) + "\n")


if __name__ == "__main__":
    main()
