"""Supervised fine-tuning on the chosen answers by TRL's SFTTrainer."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from schemas.events import Preference
from trainer.policy import TrainedPolicy, Watch
from trainer.row_lengths import Reading
from trainer.training_config import TrainingConfig
from trainer.trl_trainer import messages, trl_trainer
from trainer.trl_training import Job, Method, train_with

if TYPE_CHECKING:
    from transformers import Trainer


class SftConfig(TrainingConfig):
    """The ``sft`` section of pipeline.yaml: batches are counted in answers.

    An answer that won several pairs counts as often.
    """

    length_batches: bool = True
    """Batch rows of similar length: less padding."""


def train(
    dataset: Sequence[Preference], policy_path: Path, config: SftConfig, out_dir: Path, watch: Watch
) -> TrainedPolicy:
    """Make the chosen answers likelier, prompts given; see ``train_with`` for errors."""
    return train_with(_METHOD, dataset, policy_path, config, out_dir, watch)


def _build(job: Job[SftConfig]) -> "Trainer":
    from trl.trainer.sft_config import SFTConfig
    from trl.trainer.sft_trainer import SFTTrainer

    arguments = SFTConfig(
        **job.arguments(len(job.fitted.rows)),
        max_length=job.policy.max_length,
        completion_only_loss=True,
    )
    rows = (
        {"prompt": messages(row.prompt), "completion": messages(row.chosen)}
        for row in job.fitted.rows
    )
    batches = job.config.length_batches
    return trl_trainer(SFTTrainer, arguments, job, rows, length_batches=batches)


_METHOD = Method(name="sft", build=_build, reading=Reading(answers=("chosen",)))
