"""Hyper-parameters that every algorithm has."""

from pydantic import Field

from schemas.records import Record


class TrainingConfig(Record):
    """One optimiser run. Lengths are in tokens; what a batch counts is said by each algorithm."""

    learning_rate: float = Field(default=2e-4, gt=0)
    """At its peak: it rises over the warm-up and then falls linearly to zero."""
    epochs: float = Field(default=2, gt=0)
    batch_size: int = Field(default=16, ge=1)
    warmup_share: float = Field(default=0.1, ge=0, lt=1)
    """Of all optimiser steps."""
    max_length: int | None = Field(default=None, ge=2)
    """Of prompt and answer together; None = what the policy can take."""
    gradient_checkpointing: bool = False
    """Activations are computed again instead of kept: less memory, a third more work."""
    seed: int = Field(default=0, ge=0)
