"""Recorded judges of LLMBar before the gate: which pass, which fail, which stay open, and why.

    python -m bench.llmbar_gate [--data DIR] [--best 5] [--json]

LLMBar (Zeng et al. 2024) publishes what 65 judges (a model and a prompting strategy) said in both
orders. Each judge of each of its collections goes through calibrate, ledger and gate as a judge of
production would: 85 % of the items are calibration anchors, 15 % the locked holdout, and the subset
is the slice. Nothing is tuned; thresholds are the defaults.
"""

import argparse
import json
import sys
import tempfile
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from datetime import timedelta
from pathlib import Path

from bench.llmbar_data import DATA, NOON, Anchors, VerdictRow, judgment, verdicts
from consumers.calibration.calibrate import CalibrationSettings
from consumers.calibration.holdout_ledger import HoldoutLedger
from consumers.calibration.measure_anchors import measure_anchors
from consumers.calibration.splits import SplitShares
from schemas.events import Calibration, Judgment, Label
from schemas.records import PreferenceSource, Verdict
from trainer.gate import gate
from trainer.gate_rules import CalibrationRule
from trainer.gate_settings import GateSettings

SETTINGS = CalibrationSettings(shares=SplitShares(calibration=0.85, holdout=0.15, core=0))
GATE = GateSettings()


@dataclass(frozen=True, kw_only=True)
class JudgeRow:
    """One judge on one collection. ``refused`` are the gates that did not pass, with verdicts."""

    collection: str
    judge: str
    verdict: str
    n: int
    kappa: float | None
    lower_bound: float | None
    bound_at_look: float | None
    coverage: float | None
    length_slope: float | None
    holdout_kappa: float | None
    holdout_n: int | None
    refused: tuple[str, ...]


def judge_rows(data: Path) -> list[JudgeRow]:
    """Every judge of every collection before the gate."""
    anchors = Anchors(data)
    with tempfile.TemporaryDirectory() as folder:
        ledger = HoldoutLedger(Path(folder) / "anchors.jsonl", lambda: NOON)
        return [
            _row(collection, judge, rows, anchors, ledger)
            for (collection, judge), rows in sorted(verdicts(data).items())
        ]


def _row(
    collection: str, judge: str, rows: Sequence[VerdictRow], anchors: Anchors, ledger: HoldoutLedger
) -> JudgeRow:
    hash_ = f"{collection} {judge}"
    judgments: list[Judgment] = []
    labels: list[Label] = []
    for subset, _, _, place, gold, given, swapped in rows:
        one, said = anchors.anchor(subset, place, gold)
        judgments.append(judgment(one, hash_, judge, given, swapped))
        labels += said
    rule = CalibrationRule(settings=GATE)
    measured = measure_anchors(judgments, labels, SETTINGS, rule, ledger).calibrations
    decision = gate(
        {PreferenceSource.RLAIF: [hash_]},
        measured,
        GATE,
        NOON + timedelta(hours=1),
        looks=ledger.look,
    )
    whole = next(one for one in measured if one.split == "calibration" and not one.slice)
    holdout: Calibration | None = next(
        (one for one in measured if one.split == "holdout" and not one.slice), None
    )
    at_look = next(one.value for one in decision.results if one.name == "kappa")
    return JudgeRow(
        collection=collection,
        judge=judge,
        verdict=decision.verdict.value,
        n=whole.n,
        kappa=whole.kappa,
        lower_bound=whole.lower_bound,
        bound_at_look=at_look,
        coverage=whole.coverage,
        length_slope=whole.length_slope,
        holdout_kappa=holdout.kappa if holdout else None,
        holdout_n=holdout.n if holdout else None,
        refused=tuple(
            f"{one.name} {one.verdict}"
            for one in decision.results
            if one.verdict is not Verdict.PASS
        ),
    )


def verdict_counts(rows: Sequence[JudgeRow]) -> dict[str, dict[str, int]]:
    """How many judges of each collection got each verdict."""
    found: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for row in rows:
        found[row.collection][row.verdict] += 1
    return {name: dict(sorted(counts.items())) for name, counts in sorted(found.items())}


def reason_counts(rows: Sequence[JudgeRow]) -> dict[str, int]:
    """How many judges had exactly these gates against them, most frequent first."""
    return dict(Counter(", ".join(row.refused) or "none" for row in rows).most_common())


def _lines(rows: Sequence[JudgeRow], best: int) -> Iterator[str]:
    for collection, counts in verdict_counts(rows).items():
        yield f"{collection}: " + ", ".join(f"{n} {verdict}" for verdict, n in counts.items())
    yield ""
    for reason, n in reason_counts(rows).items():
        yield f"{n:4} against: {reason}"
    yield ""
    for collection in verdict_counts(rows):
        of = [row for row in rows if row.collection == collection]
        for row in sorted(of, key=lambda row: -(row.bound_at_look or -1))[:best]:
            numbers = (row.kappa, row.lower_bound, row.bound_at_look, row.coverage)
            shown = " ".join("    –" if one is None else f"{one:5.2f}" for one in numbers)
            yield (
                f"{collection:10} {row.judge:32.32} {row.verdict:12} n {row.n:3}  kappa, its 95 % "
                f"bound, at the look's level, coverage {shown}  {', '.join(row.refused)}"
            )


def main() -> None:
    """Print the table, or say why there is none."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--data", type=Path, default=DATA)
    parser.add_argument("--best", type=int, default=5, help="judges shown of each collection")
    parser.add_argument("--json", action="store_true", dest="as_json")
    options = parser.parse_args()
    if not (options.data / "verdicts.jsonl.gz").is_file():
        sys.stderr.write(f"skipped: the published verdicts are not in {options.data}; --data DIR\n")
        return
    rows = judge_rows(options.data)
    if options.as_json:
        found = {"verdicts": verdict_counts(rows), "reasons": reason_counts(rows)}
        sys.stdout.write(json.dumps(found | {"judges": [asdict(row) for row in rows]}) + "\n")
    else:
        sys.stdout.write("\n".join(_lines(rows, options.best)) + "\n")


if __name__ == "__main__":
    main()
