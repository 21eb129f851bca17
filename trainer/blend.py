"""Blend: which rows are trained on, and how many of them are people's. Pure and deterministic."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil
from typing import Annotated, Self

from pydantic import Field, model_validator

from schemas.events import Preference
from schemas.ids import unit_interval
from schemas.records import GateResult, PreferenceSource, Record, Verdict
from trainer.slice_level import slice_level


class BlendSettings(Record):
    """The ``blend`` section of pipeline.yaml: shares are human rows / all rows after sampling."""

    human_share: float = Field(default=0.30, gt=0, lt=1)
    min_human_share: float = Field(default=0.20, gt=0, lt=1)
    max_human_share: float = Field(default=0.40, gt=0, lt=1)
    # Rather fewer human rows in proportion than most machine rows thrown away.
    min_kept_share: float = Field(default=0.5, gt=0, le=1)
    """Least share of the other rows that is kept to reach ``human_share``."""
    weights: dict[PreferenceSource, Annotated[float, Field(gt=0, le=1)]] = Field(
        default_factory=dict
    )
    """Share of the rows of a source that is kept at all; losses have no weights, so sampling it is
    how a source counts less."""
    slice_balance: float = Field(default=0.0, ge=0, le=1)
    """From 0, slices as large as they come, to 1, all as large as the smallest (see
    ``slice_level``). Slices are balanced and capped among the rows that are not people's."""
    max_slice_rows: int | None = Field(default=None, ge=1)
    max_slice_share: float = Field(default=1.0, gt=0, le=1)
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
    """The sampled rows (none where ``gate`` did not pass) and what was left out, by source.

    The gate's detail says why as well.
    """

    rows: tuple[Preference, ...]
    gate: GateResult
    down_sampled: dict[str, int]


def blend(rows: Sequence[Preference], settings: BlendSettings) -> Blend:
    """Sample rows by weight and slice, and then so that the human share is ``human_share``.

    Or as near to it as the floor allows. Too many human rows: some are left out. Too few: others
    are left out, down to ``min_kept_share`` of them; where the human share is then still below
    ``min_human_share`` the blend is refused, and says how many human rows are missing. Which rows
    stay is decided by a stable hash of their event ids.
    """
    reasons: Counter[str] = Counter()
    weighed = _by_weight(rows, settings, reasons)
    human = [row for row in weighed if row.source is PreferenceSource.HUMAN]
    others = [row for row in weighed if row.source is not PreferenceSource.HUMAN]
    capped = _by_slice(others, settings, reasons)
    if others and not capped:
        return Blend(rows=(), gate=_no_such_share(others, settings), down_sampled={})
    others = capped
    odds = settings.human_share / (1 - settings.human_share)
    keep_human = min(len(human), round(len(others) * odds))
    keep_others = min(len(others), round(len(human) / odds))
    keep_others = max(keep_others, ceil(len(others) * settings.min_kept_share))
    share = keep_human / (keep_human + keep_others) if keep_human else 0.0
    if not settings.min_human_share <= share <= settings.max_human_share:
        people = sum(row.source is PreferenceSource.HUMAN for row in rows)
        refusal = _refusal(people, len(human), len(others), settings)
        return Blend(rows=(), gate=refusal, down_sampled={})
    kept = _sample(human, keep_human, settings.seed) + _sample(others, keep_others, settings.seed)
    kept.sort(key=lambda row: row.event_id)
    reasons["the human share"] = len(human) + len(others) - len(kept)
    left_out = Counter(row.source.value for row in rows)
    left_out.subtract(row.source.value for row in kept)
    why = ", ".join(f"{n} by {reason}" for reason, n in sorted(reasons.items()) if n)
    return Blend(
        rows=tuple(kept),
        gate=GateResult(
            name="human_share",
            verdict=Verdict.PASS,
            value=share,
            threshold=settings.min_human_share,
            detail=f"{keep_human} human rows of {len(kept)}"
            + (f"; left out: {why}" if why else ""),
        ),
        down_sampled={source: n for source, n in sorted(left_out.items()) if n},
    )


def _by_weight(
    rows: Sequence[Preference], settings: BlendSettings, reasons: Counter[str]
) -> list[Preference]:
    kept: list[Preference] = []
    for source in PreferenceSource:
        of_source = [row for row in rows if row.source is source]
        stay = round(len(of_source) * settings.weights.get(source, 1.0))
        reasons[f"the weight of {source}"] = len(of_source) - stay
        kept += _sample(of_source, stay, settings.seed)
    return kept


def _by_slice(
    rows: Sequence[Preference], settings: BlendSettings, reasons: Counter[str]
) -> list[Preference]:
    counts = Counter(row.slice for row in rows)
    level = slice_level(
        counts,
        balance=settings.slice_balance,
        max_rows=settings.max_slice_rows,
        max_share=settings.max_slice_share,
    )
    kept: list[Preference] = []
    for name, n in counts.items():
        reasons[f"the size of slice {name or '(none)'}"] = max(0, n - level)
        kept += _sample([row for row in rows if row.slice == name], level, settings.seed)
    return kept


def _sample(rows: Sequence[Preference], n: int, seed: str) -> list[Preference]:
    return sorted(rows, key=lambda row: unit_interval(seed, row.event_id))[:n]


def _refusal(people: int, human: int, others: int, settings: BlendSettings) -> GateResult:
    """Of ``people``'s rows ``human`` are left by their weight, and so would it be of more."""
    least_others = ceil(others * settings.min_kept_share)
    odds = settings.min_human_share / (1 - settings.min_human_share)
    weight = settings.weights.get(PreferenceSource.HUMAN, 1.0)
    missing = ceil(ceil(least_others * odds - 1e-9) / weight - 1e-9) - people
    remedy = f"{missing} more human rows are missing; label and adjudicate core anchors"
    if missing <= 0:
        remedy = "too few rows of other sources to blend them with"
    total = human + least_others
    counted = f"{human}" if human == people else f"{human} of {people}"
    return GateResult(
        name="human_share",
        verdict=Verdict.INCONCLUSIVE,
        value=human / total if total else None,
        threshold=settings.min_human_share,
        detail=f"{counted} human rows beside {others} others: {remedy}",
    )


def _no_such_share(others: Sequence[Preference], settings: BlendSettings) -> GateResult:
    n = len({row.slice for row in others})
    return GateResult(
        name="slice_share",
        verdict=Verdict.FAIL,
        value=1 / n,
        threshold=settings.max_slice_share,
        detail=f"of {n} slices one has at least 1/{n} of the rows; raise blend.max_slice_share",
    )
