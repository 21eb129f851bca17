"""REINFORCE leave-one-out (Ahmadian et al. 2024, arXiv 2402.14740) by TRL's RLOOTrainer."""

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

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


class RlooConfig(OnlineConfig):
    """The ``rloo`` section of pipeline.yaml.

    An answer's advantage is its reward, less ``beta`` times its log-ratio to where the policy
    started, less the mean of the others' to the same prompt.
    """

    normalize_advantages: bool = False
    """Divide the advantages of a batch by their spread."""


def train(
    dataset: Sequence[Preference],
    policy_path: Path,
    config: RlooConfig,
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
    method = Method(name="rloo", build=build, reading=config.reading)
    return train_with(method, dataset, policy_path, config, out_dir, watch)


def _build(
    job: Job[RlooConfig], *, rewards: Sequence[Reward], columns: PromptColumns | None
) -> "Trainer":
    from trl.trainer.rloo_config import RLOOConfig
    from trl.trainer.rloo_trainer import RLOOTrainer

    rewarded, rows = reward_function(job.config, rewards), prompt_rows(job, columns)
    arguments = RLOOConfig(
        **online_arguments(job, len(rows), 1),
        normalize_advantages=job.config.normalize_advantages,
    )
    return trl_trainer(RLOOTrainer, arguments, job, rows, reward_funcs=rewarded)
