"""TRL's DPOTrainer as prefstream runs it: no network, no checkpoints of its own, little padding."""

from collections.abc import Mapping, Sequence
from math import ceil, floor
from pathlib import Path
from typing import TYPE_CHECKING, cast

from schemas.events import Preference
from trainer.checkpoint import Policy
from trainer.dpo_config import DpoConfig
from trainer.length_batches import LengthBatches
from trainer.quiet import quiet

if TYPE_CHECKING:
    from torch.utils.data import DataLoader
    from trl.trainer.dpo_trainer import DPOTrainer

Tokens = Mapping[str, Sequence[int]]


def dpo_trainer(
    rows: Sequence[Preference], policy: Policy, config: DpoConfig, output_dir: Path
) -> "DPOTrainer":
    """A trainer over the rows as token ids (``train_dataset``), reference log-probs included."""
    import torch
    from datasets import Dataset
    from transformers import PrinterCallback
    from trl.trainer.dpo_config import DPOConfig
    from trl.trainer.dpo_trainer import DPOTrainer

    on_gpu = torch.cuda.is_available()
    arguments = DPOConfig(
        output_dir=str(output_dir),
        beta=config.beta,
        learning_rate=config.learning_rate,
        num_train_epochs=config.epochs,
        per_device_train_batch_size=config.batch_size,
        # Several losses are summed with their weights.
        loss_type=[config.loss_type, "sft"] if config.sft_weight else [config.loss_type],
        loss_weights=[1.0, config.sft_weight] if config.sft_weight else None,
        label_smoothing=config.label_flip_rate,
        warmup_steps=_steps(len(rows), config, config.warmup_share),
        max_length=policy.max_length,
        seed=config.seed,
        # One pass over the rows instead of one in every epoch, and no second model in memory.
        precompute_ref_log_probs=True,
        precompute_ref_batch_size=2 * config.batch_size,
        # Memory is not what limits a small policy; recomputing activations is a third more work.
        gradient_checkpointing=False,
        bf16=on_gpu and torch.cuda.is_bf16_supported(),
        use_cpu=not on_gpu,
        dataloader_pin_memory=on_gpu,
        logging_steps=max(1, _steps(len(rows), config, 1 / 20)),
        # By default a loss that is no number is logged as the last good one.
        logging_nan_inf_filter=False,
        disable_tqdm=True,
        save_strategy="no",
        report_to="none",
    )

    class ByLength(DPOTrainer):
        """Batches rows of similar length; TRL pads a random batch to its longest row."""

        def get_train_dataloader(self) -> "DataLoader[Tokens]":
            if not config.length_batches:
                return cast("DataLoader[Tokens]", super().get_train_dataloader())
            rows = token_rows(self)
            lengths = [row_length(row) for row in rows]
            batches = LengthBatches(lengths, config.batch_size, config.seed)
            loader = torch.utils.data.DataLoader(
                cast("torch.utils.data.Dataset[Tokens]", rows),
                batch_sampler=batches,
                collate_fn=self.data_collator,
                pin_memory=on_gpu,
            )
            return self.accelerator.prepare(loader)  # type: ignore[no-any-return]

    dataset = Dataset.from_list([_messages(row) for row in rows])
    with quiet():
        trainer = ByLength(
            policy.model, args=arguments, train_dataset=dataset, processing_class=policy.tokenizer
        )
    # It prints every log to standard output, which belongs to the command.
    trainer.remove_callback(PrinterCallback)
    return trainer


def token_rows(trainer: "DPOTrainer") -> Sequence[Tokens]:
    """The rows as the trainer tokenised them, without those it dropped."""
    return cast(Sequence[Tokens], trainer.train_dataset)


def row_length(row: Tokens) -> int:
    """Tokens of the prompt with the longer of the two answers."""
    return len(row["prompt_ids"]) + max(len(row["chosen_ids"]), len(row["rejected_ids"]))


def _messages(row: Preference) -> dict[str, list[dict[str, str]]]:
    parts = {"prompt": row.prompt, "chosen": row.chosen, "rejected": row.rejected}
    return {name: [message.model_dump() for message in part] for name, part in parts.items()}


def _steps(n_rows: int, config: DpoConfig, share: float) -> int:
    """A share of the optimiser steps of the whole training, rounded down."""
    return floor(ceil(n_rows / config.batch_size) * config.epochs * share)
