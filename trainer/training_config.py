"""Hyper-parameters that every algorithm has."""

from typing import Literal

from pydantic import Field

from schemas.records import Record
from trainer.lora import LoraSettings

Tracker = Literal["tensorboard", "mlflow", "wandb", "trackio"]


class TrainingConfig(Record):
    """One optimiser run. Lengths are in tokens; what a batch counts is said by each algorithm."""

    learning_rate: float = Field(default=2e-4, gt=0)
    """At its peak: it rises over the warm-up and then falls linearly to zero."""
    epochs: float = Field(default=2, gt=0)
    batch_size: int = Field(default=16, ge=1)
    """Of one optimiser step, over all processes and parts together."""
    accumulation: int = Field(default=1, ge=1)
    """Parts that a batch is computed in, one after the other: less memory, the same step."""
    warmup_share: float = Field(default=0.1, ge=0, lt=1)
    """Of all optimiser steps."""
    max_length: int | None = Field(default=None, ge=2)
    """Of prompt and answer together; None = what the policy can take."""
    gradient_checkpointing: bool = False
    """Activations are computed again instead of kept: less memory, a third more work."""
    lora: LoraSettings | None = None
    """None = all weights are trained."""
    precision: Literal["auto", "float32", "bfloat16"] = "auto"
    """Of the computation; weights and optimiser stay in float32. ``auto`` is bfloat16 on a GPU
    that has it; a CPU computes in bfloat16 only where asked, and only if it has AMX or AVX-512."""
    checkpoints: int = Field(default=4, ge=0)
    """How often what a training needs to go on after a kill is saved; 0 = never."""
    report_to: tuple[Tracker, ...] = ()
    """Trackers that are told of every logged step, each with its own settings and package."""
    seed: int = Field(default=0, ge=0)


WITHOUT_EFFECT = frozenset({"checkpoints", "report_to"})
"""Fields that change nothing about the trained weights."""
