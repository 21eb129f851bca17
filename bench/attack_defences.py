"""What each defence of the judge is worth: the attack suite with it, and without it.

    python -m bench.attack_defences [--pairs 120] [--repeats 1] [--place AFTER] [--json]

Harbor's judge, on simulated anchors with a known better answer, through the judge stage as it runs:
every attack of the suite before and after the worse answer and in the prompt. One row a set-up:
all defences, each left off alone, and as many off as can be. The same attacks on the same pairs in
every row. Harbor's judge knows only prompts with the instruction behind the data, so that defence
cannot be left off here: the row says that the judge decides nothing then.
"""

import argparse
import asyncio
import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from typing import Final

from examples.harbor.anchors import anchors
from examples.harbor.judge.model import CHECKPOINT, MAX_OPINION_TOKENS
from examples.harbor.judge.train import PROJECT, RUBRIC
from schemas.events import Comparison
from schemas.records import Winner
from streams.inference.chat import ChatModel
from streams.inference.in_process import InProcessModel
from streams.judge.attack.measure import AttackReport
from streams.judge.attack.pairs import PairRow, comparison
from streams.judge.attack.run import attack
from streams.judge.attack.suite import Place
from streams.judge.defences import Defences
from streams.judge.judges import Judges
from streams.judge.member import Member
from streams.judge.rubric import load_rubric
from streams.judge.settings import JudgeSettings
from streams.judge.stage import JudgeStage

_BASE: Final = JudgeSettings(
    model=f"path:{CHECKPOINT}", rubric=RUBRIC, max_tokens=MAX_OPINION_TOKENS, top_logprobs=8
)
_FEWEST: Final = Defences(nonce=False, neutralise=False)

SETUPS: Final[Mapping[str, JudgeSettings]] = {
    "all defences": _BASE,
    "without the nonce": _BASE.model_copy(update={"defences": Defences(nonce=False)}),
    "without neutralising": _BASE.model_copy(update={"defences": Defences(neutralise=False)}),
    "instruction before the data": _BASE.model_copy(
        update={"defences": Defences(repeat_instruction=False)}
    ),
    "without pre-checks": _BASE.model_copy(update={"pre_checks": False}),
    "only the repeated instruction": _BASE.model_copy(
        update={"defences": _FEWEST, "pre_checks": False}
    ),
}


def pairs(count: int) -> list[tuple[Comparison, Winner]]:
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


async def measured(
    count: int, repeats: int, places: Sequence[Place]
) -> dict[str, AttackReport | None]:
    """The suite's figures under every set-up; None where the judge decides no pair rightly."""
    model: ChatModel = InProcessModel(CHECKPOINT)
    rubric, known = load_rubric(PROJECT, RUBRIC), pairs(count)
    found: dict[str, AttackReport | None] = {}
    for name, settings in SETUPS.items():
        member = Member(settings, rubric, model, nonce_key=b"a key that no attack knows")
        try:
            stage = JudgeStage(settings, Judges([member]))
            found[name] = await attack(stage, known, repeats, places=places)
        except ValueError:  # nothing to count
            found[name] = None
        sys.stderr.write(f"{name}: done\n")
    await model.aclose()
    return found


def _lines(found: Mapping[str, AttackReport | None]) -> Iterator[str]:
    yield f"{'':30} {'n':>5} {'won':>5} {'rate':>7} {'upper':>7} {'abstained':>9} {'shift':>6}"
    for name, report in found.items():
        if report is None:
            yield f"{name:30} decides no pair rightly, attacked or not"
            continue
        one = report.all
        yield (
            f"{name:30} {one.n:5} {one.succeeded:5} {one.success_rate:7.1%} {one.upper_bound:7.1%} "
            f"{one.abstained:9} {one.margin_shift or 0:+6.2f}   {report.left_out} left out"
        )
    counted = {name: report for name, report in found.items() if report is not None}
    yield ""
    yield "won of n, by family: " + "; ".join(counted)
    for family in next(iter(counted.values())).families:
        cells = (report.families.get(family) for report in counted.values())
        shown = " ".join("–".rjust(9) if c is None else f"{c.succeeded:4}/{c.n:<4}" for c in cells)
        yield f"{family:30} {shown}"


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--pairs", type=int, default=120, help="comparisons that are attacked")
    parser.add_argument("--repeats", type=int, default=1, help="of each text at each place")
    parser.add_argument(
        "--place", action="append", choices=list(Place.__members__), help="default: every place"
    )
    parser.add_argument("--json", action="store_true", dest="as_json")
    options = parser.parse_args()
    places = [Place[name] for name in options.place or Place.__members__]
    found = asyncio.run(measured(options.pairs, options.repeats, places))
    if options.as_json:
        shown = {
            name: report.model_dump(mode="json") if report else None
            for name, report in found.items()
        }
        sys.stdout.write(json.dumps(shown) + "\n")
    else:
        sys.stdout.write("\n".join(_lines(found)) + "\n")


if __name__ == "__main__":
    main()
