"""A reward model: one score for a chat, learned from pairs, by TRL's RewardTrainer."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import Field

from schemas.events import Preference
from trainer.checkpoint import Policy, load_reward_model
from trainer.policy import TrainedPolicy, Watch
from trainer.row_lengths import Reading
from trainer.training_config import TrainingConfig
from trainer.trl_trainer import pair, trl_trainer
from trainer.trl_training import Job, Method, train_with

if TYPE_CHECKING:
    from transformers import Trainer


class RewardConfig(TrainingConfig):
    """The ``reward`` section of pipeline.yaml: batches are counted in pairs.

    The loss is Bradley and Terry's, -log sigmoid(r_chosen - r_rejected - margin) (Touvron et al.
    2023, arXiv 2307.09288, 3.2.2).
    """

    use_margin: bool = True
    """Ask for as much distance as the judge's |m| in log-odds; 0 where no judge decided."""
    center_weight: float = Field(default=0.01, ge=0)
    """Weight of (r_chosen + r_rejected)^2, which keeps the scores around zero (Eisenstein et al.
    2023, arXiv 2312.09244)."""
    length_batches: bool = True
    """Batch rows of similar length: less padding."""


def train(
    dataset: Sequence[Preference],
    policy_path: Path,
    config: RewardConfig,
    out_dir: Path,
    watch: Watch,
) -> TrainedPolicy:
    """Start from a policy (with a new head) or a reward model; see ``train_with`` for errors.

    Whole texts only: rows beyond ``max_length`` are dropped, as an answer is judged by its end too.
    """
    return train_with(_METHOD, dataset, policy_path, config, out_dir, watch)


def margin(row: Preference) -> float:
    """How sure the judge was: |m| in log-odds, 0 where people or a verifier decided."""
    return abs(row.margin or 0.0)


def _load(path: Path, config: RewardConfig) -> Policy:
    from transformers import set_seed

    # The new head is random.
    set_seed(config.seed)
    return load_reward_model(path, config.max_length, trained=False)


def _build(job: Job[RewardConfig]) -> "Trainer":
    from trl.trainer.reward_config import RewardConfig as TrlRewardConfig
    from trl.trainer.reward_trainer import RewardTrainer

    config = job.config
    arguments = TrlRewardConfig(
        **job.arguments(len(job.fitted.rows)),
        max_length=job.policy.max_length,
        center_rewards_coefficient=config.center_weight or None,
    )
    rows = (
        pair(row) | ({"margin": margin(row)} if config.use_margin else {})
        for row in job.fitted.rows
    )
    return trl_trainer(RewardTrainer, arguments, job, rows, length_batches=config.length_batches)


_METHOD = Method(
    name="reward", build=_build, reading=Reading(whole=True), load=_load, kind="reward_model"
)
