"""REINFORCE leave-one-out (Ahmadian et al. 2024, arXiv 2402.14740) by TRL's RLOOTrainer."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from trainer.online import OnlineConfig, online, online_arguments
from trainer.trl_trainer import trl_trainer
from trainer.trl_training import Job
from trainer.weighted_rewards import WeightedRewards

if TYPE_CHECKING:
    from transformers import Trainer


class RlooConfig(OnlineConfig):
    """The ``rloo`` section of pipeline.yaml.

    An answer's advantage is its reward, less ``beta`` times its log-ratio to where the policy
    started, less the mean of the others' to the same prompt.
    """

    normalize_advantages: bool = False
    """Divide the advantages of a batch by their spread."""


def _build(
    job: Job[RlooConfig], rows: Sequence[dict[str, object]], rewarded: WeightedRewards
) -> "Trainer":
    from trl.trainer.rloo_config import RLOOConfig
    from trl.trainer.rloo_trainer import RLOOTrainer

    arguments = RLOOConfig(
        **online_arguments(job, len(rows), 1),
        normalize_advantages=job.config.normalize_advantages,
    )
    return trl_trainer(RLOOTrainer, arguments, job, rows, reward_funcs=rewarded)


train = online("rloo", _build)
"""Raise the answers that are rewarded above others to the same prompt; see ``online``."""
