"""Group Relative Policy Optimization (Shao et al. 2024, arXiv 2402.03300) by TRL's GRPOTrainer."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Literal

from pydantic import Field

from trainer.online import OnlineConfig, online, online_arguments
from trainer.trl_trainer import trl_trainer
from trainer.trl_training import Job
from trainer.weighted_rewards import WeightedRewards

if TYPE_CHECKING:
    from transformers import Trainer


class GrpoConfig(OnlineConfig):
    """The ``grpo`` section of pipeline.yaml.

    The surrogate is PPO's clipped one; an answer's advantage is its reward less the mean to the
    same prompt, so there is no value model.
    """

    updates: int = Field(default=2, ge=1)
    """Optimiser steps on the same answers; clipping does nothing where there is only one."""
    epsilon: float = Field(default=0.2, gt=0, lt=1)
    """How far an update may move a token's probability ratio from 1 before it stops counting."""
    loss_type: Literal["grpo", "dr_grpo", "dapo", "bnpo"] = "dapo"
    """How tokens are averaged: ``grpo`` by answer, which favours long wrong ones; ``dapo`` over the
    whole batch."""
    scale_rewards: Literal["group", "batch", "none"] = "group"
    """Whose spread the advantages are divided by."""


def _build(
    job: Job[GrpoConfig], rows: Sequence[dict[str, object]], rewarded: WeightedRewards
) -> "Trainer":
    from trl.trainer.grpo_config import GRPOConfig
    from trl.trainer.grpo_trainer import GRPOTrainer

    arguments = GRPOConfig(
        **online_arguments(job, len(rows), job.config.updates),
        epsilon=job.config.epsilon,
        loss_type=job.config.loss_type,
        scale_rewards=job.config.scale_rewards,
    )
    return trl_trainer(GRPOTrainer, arguments, job, rows, reward_funcs=rewarded)


train = online("grpo", _build)
"""Raise the answers that are rewarded above others to the same prompt; see ``online``."""
