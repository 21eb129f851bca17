"""The thresholds of the gate: the ``gate`` section of pipeline.yaml."""

from typing import Literal

from pydantic import Field

from schemas.records import Record


class GateSettings(Record):
    """What a judge has to show before anything trains on its labels."""

    statistic: Literal["lower_bound", "point"] = "lower_bound"
    """What is held against ``min_kappa``: kappa's one-sided lower bound at the level that the look
    may spend, or kappa itself, which pays for nothing."""
    min_kappa: float = Field(default=0.72, gt=-1, lt=1)
    hysteresis: float = Field(default=0.07, ge=0, lt=1)
    """A judge that passed once keeps passing until its lower bound is this far below ``min_kappa``.
    One threshold for both would promote and demote a good judge in turn as anchors come in."""
    spend_over: Literal["looks", "looks_and_judges"] = "looks"
    """Whether the number of judge configurations tried counts too; see docs/gate.md."""
    min_coverage: float = Field(default=0.85, ge=0, le=1)
    # Below this even a judge of kappa 0.85 passes with less than 80 % power.
    min_anchors: int = Field(default=100, ge=2)
    # A judge behind an API changes under its name; a month is what probes must cover meanwhile.
    max_age_days: float = Field(default=30, gt=0)
    min_policy_anchors: int = Field(default=50, ge=1)
    """Anchors that hold answers of the policy in production, once one was promoted: a judge is
    calibrated on the outputs that it sees, and a new policy writes others."""
    slice_min_anchors: int = Field(default=150, ge=2)
    """With fewer a slice is uncalibrated: it decides nothing, and its pairs go to people."""
    slice_min_kappa: float = Field(default=0.72, gt=-1, lt=1)
    slice_min_lower_bound: float = Field(default=0.60, gt=-1, lt=1)
    uncalibrated_slices: Literal["leave_out", "keep"] = "leave_out"
    """What a gated run does with rlaif rows of slices that were not calibrated."""
    # At a mean b of 1 log-odd, of two equal answers the one shown first wins 73 times in 100.
    max_position_bias: float = Field(default=1.0, gt=0)
    # Where answers differ in length by a fifth, one verdict in ten is then the length's.
    max_length_slope: float = Field(default=0.5, gt=0)
    max_attack_success: float = Field(default=0.10, ge=0, le=1)
    """Share of attacks that may change a verdict, as an upper 95 % bound."""

    @property
    def demote_below(self) -> float:
        """The lower bound below which a promoted judge is demoted."""
        return self.min_kappa - self.hysteresis
