"""Blend: how many of the rows are people's. Pure and deterministic."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil
from typing import Self

from pydantic import Field, model_validator

from schemas.events import Preference
from schemas.ids import unit_interval
from schemas.records import GateResult, PreferenceSource, Record, Verdict


class BlendSettings(Record):
    """The ``blend`` section of pipeline.yaml: shares are human rows / all rows after sampling."""

    human_share: float = Field(default=0.30, gt=0, lt=1)
    min_human_share: float = Field(default=0.20, gt=0, lt=1)
    max_human_share: float = Field(default=0.40, gt=0, lt=1)
    # Rather fewer human rows in proportion than most machine rows thrown away.
    min_kept_share: float = Field(default=0.5, gt=0, le=1)
    """Least share of the other rows that is kept to reach ``human_share``."""
    seed: str = "blend"

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if not self.min_human_share <= self.human_share <= self.max_human_share:
            raise ValueError(
                "human_share must lie between min_human_share and max_human_share: "
                f"{self.min_human_share:g} ≤ {self.human_share:g} ≤ {self.max_human_share:g}"
            )
        return self


@dataclass(frozen=True, kw_only=True)
class Blend:
    """The sampled rows (none where ``gate`` did not pass) and what was left out, by source."""

    rows: tuple[Preference, ...]
    gate: GateResult
    down_sampled: dict[str, int]


def blend(rows: Sequence[Preference], settings: BlendSettings) -> Blend:
    """Sample rows so that the human share is ``human_share``, or as near as the floor allows.

    Too many human rows: some are left out. Too few: others are left out, down to
    ``min_kept_share`` of them; where the human share is then still below ``min_human_share`` the
    blend is refused, and says how many human rows are missing. Which rows stay is decided by
    a stable hash of their event ids.
    """
    human = [row for row in rows if row.source is PreferenceSource.HUMAN]
    others = [row for row in rows if row.source is not PreferenceSource.HUMAN]
    odds = settings.human_share / (1 - settings.human_share)
    keep_human = min(len(human), round(len(others) * odds))
    keep_others = min(len(others), round(len(human) / odds))
    keep_others = max(keep_others, ceil(len(others) * settings.min_kept_share))
    share = keep_human / (keep_human + keep_others) if keep_human else 0.0
    if not settings.min_human_share <= share <= settings.max_human_share:
        return Blend(rows=(), gate=_refusal(human, others, settings), down_sampled={})
    kept = _sample(human, keep_human, settings.seed) + _sample(others, keep_others, settings.seed)
    kept.sort(key=lambda row: row.event_id)
    left_out = Counter(row.source.value for row in rows)
    left_out.subtract(row.source.value for row in kept)
    return Blend(
        rows=tuple(kept),
        gate=GateResult(
            name="human_share",
            verdict=Verdict.PASS,
            value=share,
            threshold=settings.min_human_share,
            detail=f"{keep_human} human rows of {len(kept)}",
        ),
        down_sampled={source: n for source, n in sorted(left_out.items()) if n},
    )


def _sample(rows: Sequence[Preference], n: int, seed: str) -> list[Preference]:
    return sorted(rows, key=lambda row: unit_interval(seed, row.event_id))[:n]


def _refusal(
    human: Sequence[Preference], others: Sequence[Preference], settings: BlendSettings
) -> GateResult:
    least_others = ceil(len(others) * settings.min_kept_share)
    odds = settings.min_human_share / (1 - settings.min_human_share)
    missing = ceil(least_others * odds - 1e-9) - len(human)
    remedy = f"{missing} more human rows are missing; label and adjudicate core anchors"
    if missing <= 0:
        remedy = "too few rows of other sources to blend them with"
    total = len(human) + least_others
    return GateResult(
        name="human_share",
        verdict=Verdict.INCONCLUSIVE,
        value=len(human) / total if total else None,
        threshold=settings.min_human_share,
        detail=f"{len(human)} human rows beside {len(others)} others: {remedy}",
    )
