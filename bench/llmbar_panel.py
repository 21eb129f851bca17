"""A panel of recorded judges: accuracy and coverage of one order, of both, and of the best three.

    python -m bench.llmbar_panel [--data DIR] [--json]

LLMBar (Zeng et al. 2024) publishes what its judges (a model and a prompting strategy) said in both
orders. The best three are chosen, and a panel's weights fitted, on half of the items (the
calibration split); every figure is of the other half, through the judge stage as it
runs, with the published verdicts as its `recorded` back end. Nothing is tuned.
"""

import argparse
import asyncio
import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

from bench.llmbar_data import DATA, Anchors, VerdictRow, verdicts
from consumers.calibration.panel_fit import fit_panel
from consumers.calibration.splits import Split, SplitShares, split_of
from schemas.events import Comparison, Judgment, Label
from schemas.records import Order, Winner
from streams.judge.judges import Judges
from streams.judge.member import Member
from streams.judge.panel import Panel
from streams.judge.recorded import Preferred, RecordedVerdict, RecordedVerdicts
from streams.judge.rubric import Criterion, Rubric
from streams.judge.settings import JudgeSettings
from streams.judge.stage import JudgeStage

SHARES: Final = SplitShares(calibration=0.5, holdout=0.1, core=0.4)
COLLECTION: Final = "LLMBar"
_RUBRIC: Final = Rubric(
    id="llmbar",
    version="1",
    criteria=(Criterion(id="R1", text="Follows the instruction.", decided_by="judge"),),
    instructions="Prefer the answer that does what was asked.",
    tie_policy="No ties.",
)
_NAMES: Final[Mapping[str | None, Preferred]] = {"1": "A", "2": "B", None: None}


@dataclass(frozen=True, kw_only=True)
class Line:
    """``accuracy`` is of the decided ones, ``coverage`` their share, ``right`` both together."""

    name: str
    n: int
    accuracy: float
    coverage: float
    right: float


@dataclass(frozen=True, kw_only=True)
class Items:
    """The collection as comparisons, what people said, and who was right."""

    comparisons: tuple[Comparison, ...]
    labels: tuple[Label, ...]
    gold: Mapping[str, Winner]

    def half(self, *, fitted: bool) -> list[Comparison]:
        """The comparisons that judges are chosen and weighed by, or the others."""
        return [one for one in self.comparisons if _is_fitted(one) is fitted]


def _is_fitted(one: Comparison) -> bool:
    return split_of(one.prompt_id, SHARES) is Split.CALIBRATION


def read(data: Path) -> tuple[Items, dict[str, list[VerdictRow]]]:
    """The items, and the rows of every judge that judged all of them, in their order."""
    anchors = Anchors(data)
    runs = {judge: rows for (name, judge), rows in verdicts(data).items() if name == COLLECTION}
    most = max(len(rows) for rows in runs.values())
    whole = {
        judge: sorted(rows, key=lambda row: (row[0], row[3]))
        for judge, rows in runs.items()
        if len(rows) == most
    }
    comparisons: list[Comparison] = []
    labels: list[Label] = []
    gold: dict[str, Winner] = {}
    for subset, _, _, place, better, *_ in next(iter(whole.values())):
        one, said = anchors.anchor(subset, place, better)
        comparisons.append(one)
        labels += said
        gold[one.event_id] = Winner.A if better == 1 else Winner.B
    return Items(comparisons=tuple(comparisons), labels=tuple(labels), gold=gold), whole


def best(items: Items, runs: Mapping[str, Sequence[VerdictRow]], *, models: bool) -> list[str]:
    """The three judges most often right in both orders on the calibration half.

    ``models``: of three models, the best strategy of each.
    """

    def right(judge: str) -> int:
        return sum(
            str(row[4]) == row[5] == row[6]
            for one, row in zip(items.comparisons, runs[judge], strict=True)
            if _is_fitted(one)
        )

    chosen: dict[str, str] = {}
    for judge in sorted(runs, key=lambda judge: (-right(judge), judge)):
        chosen.setdefault(judge.split()[0] if models else judge, judge)
    return list(chosen.values())[:3]


def judges(
    items: Items, runs: Mapping[str, Sequence[VerdictRow]], panel: Panel, chosen: Sequence[str]
) -> Judges:
    """The panel's members, each with the published verdicts of one judge."""
    return Judges(
        [
            Member(settings, _RUBRIC, _recorded(items, runs[judge]), name=settings.name)
            for settings, judge in zip(panel.members, chosen, strict=True)
        ],
        panel,
    )


async def judged(judges: Judges, comparisons: Sequence[Comparison]) -> list[Judgment]:
    """Every comparison through the judge stage."""
    stage = JudgeStage(JudgeSettings(pre_checks=False), judges)
    found: list[Judgment] = []
    for event in comparisons:
        found += [made for made in await stage(event) if isinstance(made, Judgment)]
    await stage.aclose()
    return found


def panel_of(chosen: Sequence[str]) -> Panel:
    """The judges as equal members."""
    members = [
        {"name": f"judge-{place}", "model": f"recorded:{judge}", "rubric": "llmbar/1"}
        for place, judge in enumerate(chosen, 1)
    ]
    return Panel.model_validate({"id": "llmbar", "version": "1", "members": members})


def line(name: str, winners: Sequence[Winner], gold: Sequence[Winner]) -> Line:
    """The figures of verdicts against who was right."""
    decided = [
        said is better
        for said, better in zip(winners, gold, strict=True)
        if said in (Winner.A, Winner.B)
    ]
    return Line(
        name=name,
        n=len(winners),
        accuracy=sum(decided) / len(decided),
        coverage=len(decided) / len(winners),
        right=sum(decided) / len(winners),
    )


async def lines(data: Path) -> list[Line]:
    """Every set-up on the other half."""
    items, runs = read(data)
    held_out = items.half(fitted=False)
    gold = [items.gold[one.event_id] for one in held_out]
    found: list[Line] = []
    for title, models in (("best three", False), ("best of three models", True)):
        chosen = best(items, runs, models=models)
        for judge in chosen:
            alone = judges(items, runs, panel_of([judge]), [judge])
            said = await judged(alone, held_out)
            for order in Order:
                answers = [o.answer for one in said for o in one.opinions if o.order is order]
                found.append(line(f"{judge}, {order.value} alone", answers, gold))
            found.append(line(f"{judge}, both orders", [one.winner for one in said], gold))
        equal = panel_of(chosen)
        seen = await judged(judges(items, runs, equal, chosen), items.half(fitted=True))
        weighed = fit_panel(equal, seen, items.labels, SHARES, "2")
        for panel, how in ((equal, "majority"), (weighed, "log-odds")):
            said = await judged(judges(items, runs, panel, chosen), held_out)
            found.append(line(f"{title}: {how}", [one.winner for one in said], gold))
    return list({one.name: one for one in found}.values())


def _recorded(items: Items, rows: Sequence[VerdictRow]) -> RecordedVerdicts:
    return RecordedVerdicts(
        RecordedVerdict(
            prompt=one.messages[-1].content,
            a=one.a.candidate.output,
            b=one.b.candidate.output,
            given=_NAMES[row[5]],
            swapped=_NAMES[row[6]],
        )
        for one, row in zip(items.comparisons, rows, strict=True)
    )


def _shown(found: Sequence[Line]) -> Iterator[str]:
    yield f"{'':44} {'n':>4} {'accuracy':>9} {'coverage':>9} {'right':>7}"
    for one in found:
        yield (
            f"{one.name:44.44} {one.n:4} {one.accuracy:9.1%} {one.coverage:9.1%} {one.right:7.1%}"
        )


def main() -> None:
    """Print the table, or say why there is none."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--data", type=Path, default=DATA)
    parser.add_argument("--json", action="store_true", dest="as_json")
    options = parser.parse_args()
    if not (options.data / "verdicts.jsonl.gz").is_file():
        sys.stderr.write(f"skipped: the published verdicts are not in {options.data}; --data DIR\n")
        return
    found = asyncio.run(lines(options.data))
    if options.as_json:
        sys.stdout.write(json.dumps([asdict(one) for one in found]) + "\n")
    else:
        sys.stdout.write("\n".join(_shown(found)) + "\n")


if __name__ == "__main__":
    main()
