"""Retrain Harbor's policy: `python -m examples.harbor.train_policy` (about 11 CPU minutes).

Supervised fine-tuning by TRL on the simulated mixtures of the train split; its figures are of the
dev split. The benchmark split is never opened here.
"""

import argparse
import os
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

import duckdb
import torch
from datasets import Dataset
from transformers import PreTrainedModel, PreTrainedTokenizerBase
from trl.trainer.sft_config import SFTConfig
from trl.trainer.sft_trainer import SFTTrainer

from examples.harbor import policy, small_llama, warehouse
from examples.harbor.mixture import LAUNCH, LIKED, Mixture, drafts
from examples.harbor.questions import questions
from examples.harbor.score import execution, score

SEED: Final = 11
_DEV_TEMPERATURES: Final = (0.7, 0.0)


@dataclass(frozen=True, kw_only=True)
class Stage:
    """One round of supervised fine-tuning, one epoch over `drafts` answers to each question.

    Batches of like length are quicker, but they weigh short answers more (the loss is a mean over
    a batch's tokens), so the last stage, which sets how often each style is chosen, mixes them.
    """

    name: str
    mixture: Mixture
    drafts: int
    learning_rate: float
    warmup_steps: int
    sampling: Literal["group_by_length", "random"]


STAGES: Final = (
    Stage(
        name="launch",
        mixture=LAUNCH,
        drafts=3,
        learning_rate=2e-3,
        warmup_steps=40,
        sampling="group_by_length",
    ),
    Stage(
        name="liked",
        mixture=LIKED,
        drafts=1,
        learning_rate=8e-4,
        warmup_steps=10,
        sampling="random",
    ),
)

Row = dict[str, list[dict[str, str]]]


def rows(stage: Stage) -> list[Row]:
    """Conversational prompt and completion rows, as SFTTrainer reads them."""
    return [
        {
            "prompt": [{"role": "user", "content": question.text}],
            "completion": [{"role": "assistant", "content": text}],
        }
        for question in questions("train")
        for text in drafts(question, stage.mixture, stage.drafts)
    ]


def train(target: Path, threads: int, start: Path | None = None) -> None:
    """Train from nothing, or the last stage only from the checkpoint `start`; save to `target`."""
    torch.set_num_threads(threads)
    model: PreTrainedModel
    tokenizer: PreTrainedTokenizerBase
    if start is None:
        first = rows(STAGES[0])
        tokenizer = policy.new_tokenizer(
            message["content"] for row in first for side in row.values() for message in side
        )
        model = policy.new_model(tokenizer, SEED)
    else:
        model, tokenizer = small_llama.load(start)
    print(f"{model.num_parameters() / 1e6:.2f} M parameters", flush=True)
    for stage in STAGES if start is None else STAGES[-1:]:
        started = time.monotonic()
        _fine_tune(model, tokenizer, stage)
        print(f"stage {stage.name}: {time.monotonic() - started:.0f} s", flush=True)
    small_llama.save(model, tokenizer, target)


def _fine_tune(model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase, stage: Stage) -> None:
    data = rows(stage)
    print(f"stage {stage.name}: {len(data)} rows", flush=True)
    with tempfile.TemporaryDirectory() as scratch:
        trainer = SFTTrainer(
            model=model,
            args=SFTConfig(
                output_dir=scratch,
                num_train_epochs=1,
                per_device_train_batch_size=16,
                learning_rate=stage.learning_rate,
                lr_scheduler_type="cosine",
                warmup_steps=stage.warmup_steps,
                train_sampling_strategy=stage.sampling,
                adam_beta2=0.98,
                weight_decay=0.01,
                max_length=256,
                completion_only_loss=True,
                bf16=False,  # far slower than float32 on a CPU without units for it
                gradient_checkpointing=False,
                use_cpu=True,
                save_strategy="no",
                report_to="none",
                logging_steps=20,
                disable_tqdm=True,
                seed=SEED,
                dataloader_pin_memory=False,
            ),
            train_dataset=Dataset.from_list(data),
            processing_class=tokenizer,
        )
        trainer.train()


def report(path: Path) -> None:
    """Print the saved policy's figures on the dev split."""
    model, tokenizer = small_llama.load(path)
    dev = questions("dev")
    with tempfile.TemporaryDirectory() as scratch:
        file = Path(scratch) / "dev.duckdb"
        warehouse.build(file, seed=SEED)
        connection = duckdb.connect(str(file), read_only=True)
        for temperature in _DEV_TEMPERATURES:
            texts = [question.text for question in dev]
            answers = policy.answer(model, tokenizer, texts, temperature=temperature, seed=SEED)
            print(f"dev, T = {temperature}: {score(dev, answers, execution(connection))}")
        connection.close()


def main() -> None:
    """Train, save, report."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--target", type=Path, default=policy.CHECKPOINT)
    parser.add_argument("--threads", type=int, default=min(2, os.cpu_count() or 1))
    parser.add_argument("--start", type=Path, help="checkpoint to train the last stage from")
    options = parser.parse_args()
    started = time.monotonic()
    train(options.target, options.threads, options.start)
    print(f"trained in {time.monotonic() - started:.0f} s", flush=True)
    report(options.target)


if __name__ == "__main__":
    main()
