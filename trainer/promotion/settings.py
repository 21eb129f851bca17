"""What a policy has to show before it may serve: the ``promotion`` section of pipeline.yaml.

Differences are the candidate's minus the reference's, on the same prompts; see docs/promotion.md.
"""

from pathlib import Path
from typing import Literal

from pydantic import Field

from schemas.records import Record
from trainer.evaluate import EvaluationSettings


class ShadowSettings(Record):
    """Live prompts answered by both policies, never shown to anyone."""

    share: float = Field(default=1.0, ge=0, le=1)
    """Of production prompts, by stable hash of the prompt's id; 0: no shadow evaluation."""
    # At 200 prompts of which one in ten tells the policies apart a bound is 0.04 wide.
    max_prompts: int = Field(default=200, ge=1)
    """The latest ones of the share."""
    min_prompts: int = Field(default=50, ge=2)
    too_few: Literal["go_without", "withhold"] = "go_without"
    """With fewer live prompts than ``min_prompts``. A project that learns from imports has none."""
    max_drop: float = Field(default=0.05, ge=0, le=1)
    """Of the share of answers that pass the checks, and of the judge's win rate below one half."""


class CanarySettings(Record):
    """The ``canary`` section of pipeline.yaml: a cheap trial before the full training."""

    share: float = Field(default=0.1, ge=0, le=1)
    """Of the rows, by stable hash, that the trial trains on; 0: no canary."""
    # Four steps of the default batch. On Harbor five gained 14 points.
    min_rows: int = Field(default=64, ge=1)
    """Where that share is less: as many, or all there are."""
    prompts: int = Field(default=100, ge=2)
    """Held-out prompts that both are asked."""
    answers: int = Field(default=4, ge=2)
    """Of the reference to each prompt, of which the judge picks one; without a judge none."""
    temperature: float = Field(default=0.8, gt=0)
    min_gain: float = Field(default=0.0, ge=-1, le=1)
    """What the picked answers must surely gain on the reference's first ones, of the share that
    passes the checks; and the trial's policy on the reference, of that or of the win rate."""
    max_drop: float = Field(default=0.05, ge=0, le=1)
    """More may surely not be lost: of the other of the two by the trial's policy, and by the picked
    answers where no choice could show a gain, as nearly all pass."""


class PromotionSettings(Record):
    """Every limit is held against a one-sided 95 % bound: what is not known does not pass."""

    prompts: Path | None = None
    """JSON Lines of held-out prompts with their expectations, from the project directory."""
    asking: EvaluationSettings = EvaluationSettings()
    min_prompts: int = Field(default=50, ge=2)
    # Equal policies that disagree on one prompt in ten pass with 400 prompts, not with 100.
    max_drop: float = Field(default=0.03, ge=0, le=1)
    """Of execution accuracy and of each locked verifier's pass rate."""
    slice_min_prompts: int = Field(default=20, ge=2)
    """A smaller slice decides nothing by itself."""
    slice_max_drop: float = Field(default=0.05, ge=0, le=1)
    """A slice vetoes where it surely lost more than this."""
    max_refusal_rise: float = Field(default=0.03, ge=0, le=1)
    max_repetition_rise: float = Field(default=0.03, ge=0, le=1)
    """Of the share of 4-grams of words that repeat one of the same answer."""
    min_length_ratio: float = Field(default=0.4, gt=0, le=1)
    max_length_ratio: float = Field(default=1.25, ge=1)
    """Geometric mean of the answers' lengths in characters, candidate over reference."""
    max_kl: float = Field(default=1.0, gt=0)
    """Nats a token, on the candidate's own samples."""
    kl_prompts: int = Field(default=48, ge=0)
    """How many answers it is estimated on; 0: not at all."""
    anchor_prompts: int = Field(default=200, ge=0)
    """How many anchor prompts both answer for the judge; 0: no win rate."""
    max_win_rate_drop: float = Field(default=0.05, ge=0, le=0.5)
    """How far below one half the judge's win rate may be."""
    shadow: ShadowSettings = ShadowSettings()


def switched_off(canary: CanarySettings, shadow: ShadowSettings) -> dict[str, str]:
    """What a training that promotes by itself goes without, and the setting that is 0."""
    off = {}
    if not canary.share:
        off["canary"] = "canary.share"
    if not shadow.share:
        off["shadow evaluation"] = "promotion.shadow.share"
    return off
