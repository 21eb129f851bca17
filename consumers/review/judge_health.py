"""The judges' measurements as the page shows them: one history a rubric version, and the newest."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from consumers.calibration.splits import Split
from consumers.review.judge_series import turned_of
from schemas.events import Calibration

_ALL_SLICES = ""


@dataclass(frozen=True, kw_only=True)
class RubricHealth:
    """What was measured under one version of a rubric.

    ``judges`` are the histories over all slices of every judge configuration, oldest first, and of
    them the one measured last comes last; ``slices`` are the newest of that one's slices.
    """

    rubric_version: str
    judges: tuple[tuple[Calibration, ...], ...]
    slices: tuple[Calibration, ...]

    @property
    def now(self) -> Calibration:
        """The newest measurement."""
        return self.judges[-1][-1]

    @property
    def flip_rate(self) -> float | None:
        """Share of the newest anchors whose verdict depends on the order the answers stand in."""
        turned, total = turned_of(self.now)
        return turned / total if total else None

    @property
    def measurements(self) -> int:
        """How many there are, of all judges."""
        return sum(map(len, self.judges))


def rubric_health(calibrations: Sequence[Calibration]) -> list[RubricHealth]:
    """Health under every rubric version, the one measured last first.

    Only the calibration split: the holdout is a veto, not a trend to be watched.
    """
    whole: defaultdict[str, defaultdict[str, list[Calibration]]]
    whole = defaultdict(lambda: defaultdict(list))
    slices: dict[tuple[str, str, str], Calibration] = {}
    for one in sorted(calibrations, key=_moment):
        if one.split != Split.CALIBRATION:
            continue
        if one.slice == _ALL_SLICES:
            whole[one.rubric_version][one.judge_config_hash].append(one)
        else:
            slices[one.rubric_version, one.judge_config_hash, one.slice] = one
    found = [
        _health(rubric, sorted(judges.values(), key=_newest), slices)
        for rubric, judges in whole.items()
    ]
    return sorted(found, key=lambda one: _moment(one.now), reverse=True)


def _health(
    rubric: str,
    judges: Sequence[Sequence[Calibration]],
    slices: dict[tuple[str, str, str], Calibration],
) -> RubricHealth:
    last = judges[-1][-1].judge_config_hash
    own = [slices[key] for key in sorted(slices) if key[:2] == (rubric, last)]
    return RubricHealth(rubric_version=rubric, judges=tuple(map(tuple, judges)), slices=tuple(own))


def _newest(history: Sequence[Calibration]) -> tuple[datetime, str]:
    return _moment(history[-1])


def _moment(calibration: Calibration) -> tuple[datetime, str]:
    return calibration.occurred_at, calibration.event_id
