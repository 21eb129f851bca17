"""The gate: nothing trains on a judge whose agreement with people was not measured. Pure.

It fails closed. FAIL says the judge is known to be too bad (or the rows may not be trained on
at all), INCONCLUSIVE that nobody knows yet; either way there is no training.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from schemas.events import Calibration, Preference
from schemas.records import GateResult, PreferenceSource, Verdict
from trainer.gate_rules import GateSettings, age, holdout_veto, measured_gates, worst

CALIBRATION_SPLIT = "calibration"
HOLDOUT_SPLIT = "holdout"
ALL_SLICES = ""


@dataclass(frozen=True, kw_only=True)
class GateDecision:
    """The verdict over all gates, and each of them with its numbers."""

    verdict: Verdict
    results: tuple[GateResult, ...]


def gate(
    judge_config_hashes: Mapping[PreferenceSource, Iterable[str]],
    calibrations: Iterable[Calibration],
    settings: GateSettings,
    now: datetime,
) -> GateDecision:
    """Whether rows of these sources, labelled by these judge configurations, may be trained on.

    Verifier and human rows need no calibration; RLAIF rows need a fresh one that passes for their
    one judge configuration. Thumbs are a baseline whose agreement nobody measures: they FAIL.
    """
    results = []
    if PreferenceSource.THUMBS in judge_config_hashes:
        results.append(
            GateResult(
                name="sources",
                verdict=Verdict.FAIL,
                detail="thumbs rows are not calibrated; train them as a baseline with --ungated",
            )
        )
    hashes = sorted(set(judge_config_hashes.get(PreferenceSource.RLAIF, ())))
    known = list(calibrations)
    if len(hashes) > 1:
        results.append(
            GateResult(
                name="judge_config",
                verdict=Verdict.FAIL,
                value=len(hashes),
                threshold=1,
                detail=f"rows of several judge configurations: {', '.join(hashes)}; freeze one",
            )
        )
    for hash_ in hashes:
        results += _judge_gates(hash_, known, settings, now)
    if not results:
        results.append(
            GateResult(
                name="sources",
                verdict=Verdict.PASS,
                detail="no rlaif rows, so no judge to calibrate",
            )
        )
    return GateDecision(verdict=worst(results), results=tuple(results))


def label_sources(rows: Iterable[Preference]) -> dict[PreferenceSource, frozenset[str]]:
    """The judge configurations behind the rows of each source, as ``gate`` takes them."""
    found: dict[PreferenceSource, set[str]] = {}
    for row in rows:
        found.setdefault(row.source, set()).add(row.judge_config_hash)
    return {source: frozenset(hashes) for source, hashes in sorted(found.items())}


def _judge_gates(
    hash_: str, known: Sequence[Calibration], settings: GateSettings, now: datetime
) -> list[GateResult]:
    calibration = _latest(known, hash_, CALIBRATION_SPLIT)
    if calibration is None:
        return [
            GateResult(
                name="calibration",
                verdict=Verdict.INCONCLUSIVE,
                detail=f"judge configuration {hash_} was never calibrated; "
                "label anchors and run `prefstream calibrate`",
            )
        ]
    results = [age(calibration, settings, now), *measured_gates(calibration, settings)]
    holdout = _latest(known, hash_, HOLDOUT_SPLIT)
    return results if holdout is None else [*results, holdout_veto(holdout, settings)]


def _latest(known: Sequence[Calibration], hash_: str, split: str) -> Calibration | None:
    found = [
        one
        for one in known
        if (one.judge_config_hash, one.split, one.slice) == (hash_, split, ALL_SLICES)
    ]
    return max(found, key=lambda one: (one.occurred_at, one.n, one.event_id), default=None)
