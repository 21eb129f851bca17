"""Odds Ratio Preference Optimization (Hong et al. 2024, arXiv 2403.07691) by TRL's ORPOTrainer."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import Field

from schemas.events import Preference
from trainer.policy import TrainedPolicy, Watch
from trainer.row_lengths import Reading
from trainer.training_config import TrainingConfig
from trainer.trl_trainer import pair, trl_trainer
from trainer.trl_training import Job, Method, train_with

if TYPE_CHECKING:
    from transformers import Trainer


class OrpoConfig(TrainingConfig):
    """The ``orpo`` section of pipeline.yaml: batches are counted in pairs.

    There is no reference model: the chosen answers' own likelihood is part of the loss.
    """

    beta: float = Field(default=0.1, gt=0)
    """Weight of the odds-ratio term beside that likelihood (lambda in the paper)."""
    length_batches: bool = True
    """Batch rows of similar length: less padding, but each batch then holds one kind of answer."""


def train(
    dataset: Sequence[Preference],
    policy_path: Path,
    config: OrpoConfig,
    out_dir: Path,
    watch: Watch,
) -> TrainedPolicy:
    """Learn the chosen answers and disfavour the rejected; see ``train_with`` for errors."""
    return train_with(_METHOD, dataset, policy_path, config, out_dir, watch)


def _build(job: Job[OrpoConfig]) -> "Trainer":
    from trainer.trl_experimental import ORPOConfig, ORPOTrainer

    arguments = ORPOConfig(
        **job.arguments(len(job.fitted.rows)),
        beta=job.config.beta,
        max_length=job.policy.max_length,
        # The collator picks the columns itself.
        remove_unused_columns=False,
    )
    rows = map(pair, job.fitted.rows)
    return trl_trainer(ORPOTrainer, arguments, job, rows, length_batches=job.config.length_batches)


_METHOD = Method(name="orpo", build=_build, reading=Reading(adds_ends=True))
