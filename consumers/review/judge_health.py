"""The judge's measurements as the page shows them: a line of kappa, and the newest numbers."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from consumers.calibration.splits import Split
from schemas.events import Calibration
from schemas.records import Winner

_ALL_SLICES = ""


@dataclass(frozen=True, kw_only=True)
class JudgeHealth:
    """All measurements of one judge configuration over all slices, oldest first (at least one);
    ``slices`` are the newest of each slice."""

    judge_config_hash: str
    rubric_version: str
    history: tuple[Calibration, ...]
    slices: tuple[Calibration, ...]

    @property
    def now(self) -> Calibration:
        """The newest measurement."""
        return self.history[-1]

    @property
    def flip_rate(self) -> float | None:
        """Share of anchors whose verdict depends on the order the answers stand in."""
        cells = self.now.confusion
        total = sum(cell.n for cell in cells)
        flips = sum(cell.n for cell in cells if cell.judge == Winner.CONFLICT)
        return flips / total if total else None


def judge_health(calibrations: Sequence[Calibration]) -> list[JudgeHealth]:
    """Health of every judge configuration, the one measured last first.

    Only the calibration split: the holdout is a veto, not a trend to be watched.
    """
    whole: defaultdict[str, list[Calibration]] = defaultdict(list)
    slices: defaultdict[str, dict[str, Calibration]] = defaultdict(dict)
    for one in sorted(calibrations, key=_moment):
        if one.split != Split.CALIBRATION:
            continue
        if one.slice == _ALL_SLICES:
            whole[one.judge_config_hash].append(one)
        else:
            slices[one.judge_config_hash][one.slice] = one
    found = [
        JudgeHealth(
            judge_config_hash=hash_,
            rubric_version=history[-1].rubric_version,
            history=tuple(history),
            slices=tuple(slices[hash_][name] for name in sorted(slices[hash_])),
        )
        for hash_, history in whole.items()
    ]
    return sorted(found, key=lambda one: _moment(one.now), reverse=True)


def _moment(calibration: Calibration) -> tuple[datetime, str]:
    return calibration.occurred_at, calibration.event_id
