"""SimPO (Meng et al. 2024, arXiv 2405.14734): DPO without a reference, by TRL's CPOTrainer."""

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


class SimpoConfig(TrainingConfig):
    """The ``simpo`` section of pipeline.yaml: batches are counted in pairs.

    The reward of an answer is ``beta`` times its mean log-probability a token, so length does not
    pay; nothing but the learning rate holds the policy to where it started.
    """

    beta: float = Field(default=2.0, gt=0)
    gamma: float = Field(default=1.0, ge=0)
    """By how much the chosen answer's reward is to exceed the rejected one's."""
    length_batches: bool = True
    """Batch rows of similar length: less padding, but each batch then holds one kind of answer."""


def train(
    dataset: Sequence[Preference],
    policy_path: Path,
    config: SimpoConfig,
    out_dir: Path,
    watch: Watch,
) -> TrainedPolicy:
    """Raise the chosen answers over the rejected by a margin; see ``train_with`` for errors."""
    return train_with(_METHOD, dataset, policy_path, config, out_dir, watch)


def _build(job: Job[SimpoConfig]) -> "Trainer":
    from trainer.trl_experimental import CPOConfig, CPOTrainer

    arguments = CPOConfig(
        **job.arguments(len(job.fitted.rows)),
        loss_type="simpo",
        # No likelihood term of CPO's own: with it the loss would be CPO-SimPO.
        cpo_alpha=0.0,
        beta=job.config.beta,
        simpo_gamma=job.config.gamma,
        max_length=job.policy.max_length,
        # The collator picks the columns itself.
        remove_unused_columns=False,
    )
    rows = map(pair, job.fitted.rows)
    return trl_trainer(CPOTrainer, arguments, job, rows, length_batches=job.config.length_batches)


_METHOD = Method(name="simpo", build=_build, reading=Reading(adds_ends=True))
