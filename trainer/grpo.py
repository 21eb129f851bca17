"""Group Relative Policy Optimization (Shao et al. 2024, arXiv 2402.03300) by TRL's GRPOTrainer."""

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from pydantic import Field

from schemas.events import Preference
from trainer.online import (
    OnlineConfig,
    PromptColumns,
    online_arguments,
    prompt_rows,
    reward_function,
)
from trainer.policy import TrainedPolicy, Watch
from trainer.trl_trainer import trl_trainer
from trainer.trl_training import Job, Method, train_with
from trainer.weighted_rewards import Reward

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


def train(
    dataset: Sequence[Preference],
    policy_path: Path,
    config: GrpoConfig,
    out_dir: Path,
    watch: Watch,
    *,
    rewards: Sequence[Reward] = (),
    columns: PromptColumns | None = None,
) -> TrainedPolicy:
    """Raise the answers that are rewarded above others to the same prompt.

    ``rewards`` come beside the reward model of the configuration. See ``train_with`` for errors;
    ``ConfigError`` too where nothing rewards.
    """
    build = partial(_build, rewards=rewards, columns=columns)
    method = Method(name="grpo", build=build, reading=config.reading)
    return train_with(method, dataset, policy_path, config, out_dir, watch)


def _build(
    job: Job[GrpoConfig], *, rewards: Sequence[Reward], columns: PromptColumns | None
) -> "Trainer":
    from trl.trainer.grpo_config import GRPOConfig
    from trl.trainer.grpo_trainer import GRPOTrainer

    rewarded, rows = reward_function(job.config, rewards), prompt_rows(job, columns)
    arguments = GRPOConfig(
        **online_arguments(job, len(rows), job.config.updates),
        epsilon=job.config.epsilon,
        loss_type=job.config.loss_type,
        scale_rewards=job.config.scale_rewards,
    )
    return trl_trainer(GRPOTrainer, arguments, job, rows, reward_funcs=rewarded)
