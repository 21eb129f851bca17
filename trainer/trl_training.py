"""What every algorithm has in common: TRL's trainer is built, watched, and its model saved."""

import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from schemas.errors import Fatal
from schemas.events import Preference
from trainer.checkpoint import Policy, check_empty, discard_part, load_policy, part_dir, save_policy
from trainer.policy import Kind, TrainedPolicy, Watch
from trainer.progress import StepLog, watching
from trainer.quiet import quiet
from trainer.row_lengths import Fitted, Reading, fit
from trainer.training_config import TrainingConfig

if TYPE_CHECKING:
    from transformers import Trainer

C = TypeVar("C", bound=TrainingConfig)


@dataclass(frozen=True, kw_only=True)
class Job(Generic[C]):
    """What a trainer is built from."""

    policy: Policy
    fitted: Fitted
    config: C
    output_dir: Path

    def arguments(self, n_examples: int) -> dict[str, Any]:
        """The TRL arguments that all algorithms share, for this many examples an epoch.

        No network, no checkpoints of its own, nothing printed; bf16 where the hardware has it.
        """
        import torch

        config, on_gpu = self.config, torch.cuda.is_available()
        steps = math.ceil(n_examples / config.batch_size) * config.epochs
        return {
            "output_dir": str(self.output_dir),
            "learning_rate": config.learning_rate,
            "num_train_epochs": config.epochs,
            "per_device_train_batch_size": config.batch_size,
            "warmup_steps": math.floor(steps * config.warmup_share),
            "seed": config.seed,
            "gradient_checkpointing": config.gradient_checkpointing,
            "bf16": on_gpu and torch.cuda.is_bf16_supported(),
            "use_cpu": not on_gpu,
            "dataloader_pin_memory": on_gpu,
            "logging_steps": max(1, math.floor(steps / 20)),
            # By default a loss that is no number is logged as the last good one.
            "logging_nan_inf_filter": False,
            "disable_tqdm": True,
            "save_strategy": "no",
            "report_to": "none",
        }


@dataclass(frozen=True, kw_only=True)
class Method(Generic[C]):
    """An algorithm: its name, how it reads rows, and its trainer."""

    name: str
    build: Callable[[Job[C]], "Trainer"]
    reading: Reading = field(default_factory=Reading)
    load: Callable[[Path, C], Policy] = lambda path, config: load_policy(path, config.max_length)
    kind: Kind = "policy"


def train_with(
    method: Method[C],
    dataset: Sequence[Preference],
    policy_path: Path,
    config: C,
    out_dir: Path,
    watch: Watch,
) -> TrainedPolicy:
    """Train the policy on the rows and save it to ``out_dir``, which must be new or empty.

    Raises ``ConfigError`` where rows, policy or ``out_dir`` cannot be used, ``Fatal`` where loss
    or weights are no longer numbers; ``out_dir`` is then left as it was.
    """
    check_empty(out_dir)
    started, log = time.monotonic(), StepLog()
    with quiet():
        policy = method.load(policy_path, config)
    fitted = fit(dataset, policy, method.reading)
    job = Job(policy=policy, fitted=fitted, config=config, output_dir=part_dir(out_dir))
    try:
        trainer = method.build(job)
        trainer.add_callback(watching(watch, log))
        trainer.train()
        _check_finite(policy)
        with quiet():
            save_policy(policy.model, policy.tokenizer, out_dir)
    finally:
        discard_part(out_dir)
    hyper_parameters = config.model_dump() | {"max_length": policy.max_length}
    return TrainedPolicy(
        path=out_dir,
        kind=method.kind,
        algorithm=method.name,
        hyper_parameters={name: str(value) for name, value in hyper_parameters.items()},
        rows=len(fitted.rows),
        dropped=fitted.dropped,
        truncated=fitted.truncated,
        steps=trainer.state.global_step,
        seconds=time.monotonic() - started,
        metrics=log.first_and_last(),
    )


def _check_finite(policy: Policy) -> None:
    """The last step's gradient may be no number where every loss was one."""
    if not all(bool(weights.isfinite().all()) for weights in policy.model.parameters()):
        raise Fatal("the trained weights are no longer numbers; lower the learning rate")
