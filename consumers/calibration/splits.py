"""Which role an anchor's prompt plays: decided by a stable hash, so it can never change sides."""

from enum import StrEnum
from typing import Self

from pydantic import Field, model_validator

from schemas.ids import unit_interval
from schemas.records import Record


class Split(StrEnum):
    """What an anchor is for (design §6)."""

    CALIBRATION = "calibration"
    """The gate reads its agreement."""
    HOLDOUT = "holdout"
    """Locked: it can only veto and report."""
    CORE = "core"
    """Human rows that are trained on, and so never measure anything."""


class SplitShares(Record):
    """Shares of the anchor prompts; they sum to one.

    ``salt`` keeps the splits of two label sets apart; changing it moves prompts between splits,
    which no running project may do.
    """

    calibration: float = Field(default=0.6, gt=0, lt=1)
    # with less a veto by 150 locked anchors takes too many labels, with more the gate starves
    holdout: float = Field(default=0.15, ge=0.1, le=0.2)
    core: float = Field(default=0.25, ge=0, lt=1)
    salt: str = "anchors"

    @model_validator(mode="after")
    def _sum_to_one(self) -> Self:
        total = self.calibration + self.holdout + self.core
        if abs(total - 1) > 1e-9:
            raise ValueError(f"the shares of the splits sum to {total:g}; make them sum to 1")
        return self


def split_of(prompt_id: str, shares: SplitShares) -> Split:
    """The split of every anchor of this prompt."""
    position = unit_interval(shares.salt, prompt_id)
    if position < shares.calibration:
        return Split.CALIBRATION
    if position < shares.calibration + shares.holdout:
        return Split.HOLDOUT
    return Split.CORE
