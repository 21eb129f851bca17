"""Direct Preference Optimization (Rafailov et al. 2023, arXiv 2305.18290) by TRL's DPOTrainer."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal, Self

from pydantic import Field, model_validator

from schemas.errors import ConfigError
from schemas.events import Preference
from trainer.policy import TrainedPolicy, Watch
from trainer.training_config import TrainingConfig
from trainer.trl_trainer import pair, trl_trainer
from trainer.trl_training import Job, Method, train_with

if TYPE_CHECKING:
    from transformers import Trainer

ALGORITHM = "dpo"
AUDITED = "audited"


class DpoConfig(TrainingConfig):
    """The ``dpo`` section of pipeline.yaml: batches are counted in pairs."""

    beta: float = Field(default=0.1, gt=0)
    """How strongly the policy is held to the reference, which is where it starts."""
    loss_type: Literal["sigmoid", "robust", "sigmoid_norm"] = "sigmoid"
    """``robust`` allows for flipped labels (Chowdhury et al. 2024, arXiv 2403.00409);
    ``sigmoid_norm`` divides each answer's log-ratio by its length."""
    label_flip_rate: Annotated[float, Field(ge=0, lt=0.5)] | Literal["audited"] = 0.0
    """Share of flipped labels that the robust loss assumes; ``audited``: what the audit found."""
    sft_weight: float = Field(default=0.0, ge=0)
    """Weight of the chosen answers' own log-likelihood beside the DPO loss (Pang et al. 2024,
    "Iterative Reasoning Preference Optimization"): it keeps DPO from lowering the chosen answers
    too while it lowers the rejected ones further."""
    length_batches: bool = True
    """Batch rows of similar length: less padding, but each batch then holds one kind of answer."""

    @model_validator(mode="after")
    def _flips_need_the_robust_loss(self) -> Self:
        if self.label_flip_rate and self.loss_type != "robust":
            raise ValueError(
                f"label_flip_rate {self.label_flip_rate} is read by loss_type robust only, not "
                f"by {self.loss_type}; set loss_type: robust or leave label_flip_rate out"
            )
        return self


def train(
    dataset: Sequence[Preference], policy_path: Path, config: DpoConfig, out_dir: Path, watch: Watch
) -> TrainedPolicy:
    """Raise the chosen answers over the rejected ones; see ``train_with`` for errors."""
    return train_with(_METHOD, dataset, policy_path, config, out_dir, watch)


def _build(job: Job[DpoConfig]) -> "Trainer":
    from trl.trainer.dpo_config import DPOConfig
    from trl.trainer.dpo_trainer import DPOTrainer

    config = job.config
    if isinstance(config.label_flip_rate, str):
        raise ConfigError(
            "label_flip_rate is `audited`, which only `prefstream train` can look up; set a number"
        )
    arguments = DPOConfig(
        **job.arguments(len(job.fitted.rows)),
        beta=config.beta,
        # Several losses are summed with their weights.
        loss_type=[config.loss_type, "sft"] if config.sft_weight else [config.loss_type],
        loss_weights=[1.0, config.sft_weight] if config.sft_weight else None,
        label_smoothing=config.label_flip_rate,
        max_length=job.policy.max_length,
        # One pass over the rows instead of one in every epoch, and no second model in memory.
        precompute_ref_log_probs=job.computes_reference_once,
        # It has no gradients: twice as many at a time take no more room than training.
        precompute_ref_batch_size=2 * job.part_size,
    )
    rows = map(pair, job.fitted.rows)
    return trl_trainer(DPOTrainer, arguments, job, rows, length_batches=config.length_batches)


_METHOD = Method(name=ALGORITHM, build=_build)
