"""Kahneman-Tversky Optimization (Ethayarajh et al. 2024, arXiv 2402.01306) by TRL's KTOTrainer."""

import random
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import Field

from schemas.errors import ConfigError
from schemas.events import Preference
from trainer.policy import TrainedPolicy, Watch
from trainer.training_config import TrainingConfig
from trainer.trl_trainer import messages, trl_trainer
from trainer.trl_training import Job, Method, train_with

if TYPE_CHECKING:
    from transformers import Trainer


class KtoConfig(TrainingConfig):
    """The ``kto`` section of pipeline.yaml: batches are counted in answers, two a pair.

    Answers are good or bad each on their own; the pair they came from plays no part.
    """

    batch_size: int = Field(default=16, ge=2)
    """At least two in each part: the KL is estimated there by giving each prompt its neighbour's
    answer."""
    beta: float = Field(default=0.1, gt=0)
    """How strongly the policy is held to the reference, which is where it starts."""
    desirable_weight: float = Field(default=1.0, gt=0)
    undesirable_weight: float = Field(default=1.0, gt=0)


def train(
    dataset: Sequence[Preference], policy_path: Path, config: KtoConfig, out_dir: Path, watch: Watch
) -> TrainedPolicy:
    """Raise good answers and lower bad ones, each alone; see ``train_with`` for errors."""
    return train_with(_METHOD, dataset, policy_path, config, out_dir, watch)


def answers(rows: Sequence[Preference], seed: int) -> list[tuple[Preference, bool]]:
    """Every row twice, for its chosen (True) and rejected answer (False), in training order.

    Good and bad alternate. TRL reads them in this order and takes the answer of the neighbour as
    one to another prompt, so a pair's two answers stand half the data apart.
    """
    order = list(rows)
    random.Random(seed).shuffle(order)
    half = len(order) // 2
    apart = order[half:] + order[:half]
    return [
        answer
        for good, bad in zip(order, apart, strict=True)
        for answer in ((good, True), (bad, False))
    ]


def _build(job: Job[KtoConfig]) -> "Trainer":
    from trl.trainer.kto_config import KTOConfig
    from trl.trainer.kto_trainer import KTOTrainer

    config, examples = job.config, answers(job.fitted.rows, job.config.seed)
    if job.part_size < 2:
        raise ConfigError(
            f"batch_size {config.batch_size} leaves each of {job.parts} parts (processes times "
            f"accumulation) one answer, and kto needs a neighbour's; set {2 * job.parts} or more, "
            "or fewer parts"
        )
    arguments = KTOConfig(
        **job.arguments(len(examples)),
        beta=config.beta,
        desirable_weight=config.desirable_weight,
        undesirable_weight=config.undesirable_weight,
        max_length=job.policy.max_length,
        # One pass over the rows instead of one in every epoch, and no second model in memory.
        precompute_ref_log_probs=job.computes_reference_once,
    )
    rows = (
        {
            "prompt": messages(row.prompt),
            "completion": messages(row.chosen if good else row.rejected),
            "label": good,
        }
        for row, good in examples
    )
    return trl_trainer(KTOTrainer, arguments, job, rows)


_METHOD = Method(name="kto", build=_build)
