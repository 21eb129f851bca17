"""Direct Preference Optimization (Rafailov et al. 2023) over TRL's DPOTrainer."""

import time
from collections.abc import Sequence
from pathlib import Path

from schemas.errors import ConfigError
from schemas.events import Preference
from trainer.checkpoint import check_empty, discard_part, load_policy, part_dir, save_policy
from trainer.dpo_config import DpoConfig
from trainer.dpo_trainer import dpo_trainer, row_length, token_rows
from trainer.policy import TrainedPolicy, Watch
from trainer.progress import StepLog, watching
from trainer.quiet import quiet

__all__ = ["ALGORITHM", "DpoConfig", "train"]

ALGORITHM = "dpo"


def train(
    dataset: Sequence[Preference], policy_path: Path, config: DpoConfig, out_dir: Path, watch: Watch
) -> TrainedPolicy:
    """Train the policy on the rows and save it to ``out_dir``, which must be new or empty.

    Raises ``ConfigError`` where rows, policy or ``out_dir`` cannot be used, ``Fatal`` where the
    loss is no longer a number; ``out_dir`` is then left as it was.
    """
    if not dataset:
        raise ConfigError("no rows to train on; freeze a range that holds preferences")
    check_empty(out_dir)
    started, log = time.monotonic(), StepLog()
    with quiet():
        policy = load_policy(policy_path, config.max_length)
    if not any(policy.prompt_length(row.prompt) < policy.max_length for row in dataset):
        raise ConfigError(
            f"every prompt alone fills max_length ({policy.max_length} tokens); raise it"
        )
    try:
        trainer = dpo_trainer(dataset, policy, config, part_dir(out_dir))
        lengths = [row_length(row) for row in token_rows(trainer)]
        trainer.add_callback(watching(watch, log))
        trainer.train()
        with quiet():
            save_policy(policy.model, policy.tokenizer, out_dir)
    finally:
        discard_part(out_dir)
    hyper_parameters = config.model_dump() | {"max_length": policy.max_length}
    return TrainedPolicy(
        path=out_dir,
        algorithm=ALGORITHM,
        hyper_parameters={name: str(value) for name, value in hyper_parameters.items()},
        rows=len(lengths),
        dropped=len(dataset) - len(lengths),
        truncated=sum(length > policy.max_length for length in lengths),
        steps=trainer.state.global_step,
        seconds=time.monotonic() - started,
        metrics=log.first_and_last(),
    )
