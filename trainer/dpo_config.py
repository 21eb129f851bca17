"""Hyper-parameters of DPO."""

from typing import Literal

from pydantic import Field

from schemas.records import Record


class DpoConfig(Record):
    """The ``dpo`` section of pipeline.yaml: batches are counted in pairs, lengths in tokens."""

    beta: float = Field(default=0.1, gt=0)
    learning_rate: float = Field(default=2e-4, gt=0)
    epochs: float = Field(default=2, gt=0)
    batch_size: int = Field(default=16, ge=1)
    loss_type: Literal["sigmoid", "robust", "sigmoid_norm"] = "sigmoid"
    sft_weight: float = Field(default=0.0, ge=0)
    """Weight of the chosen answers' own log-likelihood beside the DPO loss (Pang et al. 2024,
    "Iterative Reasoning Preference Optimization"): it keeps DPO from lowering the chosen answers
    too while it lowers the rejected ones further."""
    # Share of flipped labels that the robust loss assumes; TRL only warns at 0.5 and above.
    label_flip_rate: float = Field(default=0.0, ge=0, lt=0.5)
    warmup_share: float = Field(default=0.1, ge=0, lt=1)
    max_length: int | None = Field(default=None, ge=2)
    """Of prompt and answer together; None = what the policy can take."""
    length_batches: bool = True
    """Batch rows of similar length: less padding, but each batch then holds one kind of answer."""
    seed: int = 0
