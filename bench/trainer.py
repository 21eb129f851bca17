"""Tokens a second of a DPO training beside bare TRL, on the same rows in one run.

    python -m bench.trainer [--pairs 192] [--repeats 2] [--json]
    python -m bench.trainer --size 1b --pairs 256       # a random Llama; on a graphics card
    python -m bench.trainer --size 3b --lora --pairs 256

Both train the same policy (Harbor's, or a random Llama) with the same rows, batch size, epochs and
loss, from the checkpoint on disk to a saved one. Tokens are those of prompts and answers, without
padding. ``ours`` is what `prefstream train` does: it checks lengths and weights, batches rows of
like length and, of Harbor's policy, saves checkpoints to go on from (of a Llama they take longer
than so few steps); ``ours_shuffled`` batches at random, as TRL does.
The runs take turns, and of each the quickest counts. On a CPU the ratios are of processor time,
which other work on the machine moves less than the clock. On a graphics card they are of the clock,
and the peak of its memory stands beside docs/training.md's arithmetic: 16 bytes a parameter, 4 with
LoRA, before activations.
"""

import argparse
import gc
import json
import os
import shutil
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable, Sequence
from contextlib import redirect_stdout
from pathlib import Path
from typing import get_args

from bench.harbor_pairs import harbor_pairs
from bench.random_llama import Size, save_random_llama
from examples.harbor import policy
from schemas.events import Preference
from streams.inference.device import compute_device
from trainer.checkpoint import load_policy
from trainer.dpo import DpoConfig, train
from trainer.lora import LoraSettings
from trainer.precision import computes_in_bfloat16
from trainer.quiet import quiet
from trainer.trl_trainer import pair

_EPOCHS, _BATCH, _RATE = 1, 16, 3e-4
_LORA = LoraSettings()


def measure(pairs: int, repeats: int, size: Size | None, lora: bool) -> dict[str, float]:
    """Tokens a second of each, what ours are of TRL's, and what a graphics card held."""
    rows = harbor_pairs(pairs)
    tokens = _tokens(rows) * _EPOCHS
    wall: defaultdict[str, list[float]] = defaultdict(list)
    cpu: defaultdict[str, list[float]] = defaultdict(list)
    peak: defaultdict[str, list[float]] = defaultdict(list)
    figures: dict[str, float] = {"pairs": pairs, "tokens": tokens}
    with tempfile.TemporaryDirectory() as folder, quiet():
        start = policy.CHECKPOINT
        if size is not None:
            start = Path(folder) / size
            parameters = save_random_llama(size, start)
            figures |= {
                "parameters_millions": parameters / 1e6,
                "arithmetic_gb": (4 if lora else 16) * parameters / 1e9,
            }
        runs: dict[str, Callable[[Sequence[Preference], Path], None]] = {
            "trl": lambda some, out: _bare(some, start, out, lora=lora),
            "ours": lambda some, out: _ours(some, start, out, lora=lora, length_batches=True),
            "ours_shuffled": lambda some, out: _ours(
                some, start, out, lora=lora, length_batches=False
            ),
        }
        _take(runs["trl"], rows[:_BATCH], Path(folder) / "warm")
        for _ in range(repeats):
            for name, run in runs.items():
                clock_s, processor_s, bytes_ = _take(run, rows, Path(folder) / name)
                wall[name].append(clock_s)
                cpu[name].append(processor_s)
                peak[name].append(bytes_ / 1e9)
    on_card = compute_device() == "cuda"
    best = {name: tokens / min((wall if on_card else cpu)[name]) for name in wall}
    figures |= {f"{name}_tokens_per_s": tokens / min(taken) for name, taken in wall.items()}
    if on_card:
        figures |= {f"{name}_peak_gb": max(taken) for name, taken in peak.items()}
    else:
        figures |= {f"{name}_tokens_per_cpu_s": rate for name, rate in best.items()}
    return figures | {
        "ours_over_trl": best["ours"] / best["trl"],
        "shuffled_over_trl": best["ours_shuffled"] / best["trl"],
    }


def _take(
    run: Callable[[Sequence[Preference], Path], None], rows: Sequence[Preference], out: Path
) -> tuple[float, float, float]:
    """Seconds by the clock and of the processor, and the most bytes of a graphics card."""
    import torch

    on_card = compute_device() == "cuda"
    if on_card:
        torch.cuda.empty_cache()
        torch.cuda.reset_peak_memory_stats()
    begin, processor = time.perf_counter(), time.process_time()
    run(rows, out)
    taken = time.perf_counter() - begin, time.process_time() - processor
    held = torch.cuda.max_memory_allocated() if on_card else 0
    shutil.rmtree(out)
    gc.collect()
    return *taken, held


def _tokens(rows: Sequence[Preference]) -> int:
    loaded = load_policy(policy.CHECKPOINT)
    chats = [row.prompt + answer for row in rows for answer in (row.chosen, row.rejected)]
    return sum(map(len, loaded.token_ids(chats)))


def _ours(
    rows: Sequence[Preference], start: Path, out: Path, *, lora: bool, length_batches: bool
) -> None:
    config = DpoConfig(
        learning_rate=_RATE,
        epochs=_EPOCHS,
        batch_size=_BATCH,
        length_batches=length_batches,
        lora=_LORA if lora else None,
        checkpoints=4 if start == policy.CHECKPOINT else 0,
    )
    train(rows, start, config, out, lambda _: None)


def _bare(rows: Sequence[Preference], start: Path, out: Path, *, lora: bool) -> None:
    """As TRL's own example does it."""
    import torch
    from datasets import Dataset
    from transformers import AutoModelForCausalLM, AutoTokenizer
    from trl.trainer.dpo_config import DPOConfig
    from trl.trainer.dpo_trainer import DPOTrainer

    model = AutoModelForCausalLM.from_pretrained(start, dtype=torch.float32)
    trainer = DPOTrainer(
        model=model,
        args=DPOConfig(
            output_dir=str(out),
            num_train_epochs=_EPOCHS,
            per_device_train_batch_size=_BATCH,
            learning_rate=_RATE,
            precompute_ref_log_probs=True,
            gradient_checkpointing=False,
            bf16=computes_in_bfloat16("auto"),
            use_cpu=compute_device() == "cpu",
            save_strategy="no",
            report_to="none",
            disable_tqdm=True,
        ),
        train_dataset=Dataset.from_list([pair(row) for row in rows]),
        processing_class=AutoTokenizer.from_pretrained(start),
        peft_config=_LORA.of_peft("policy") if lora else None,
    )
    # It prints its logs.
    with open(os.devnull, "w", encoding="utf-8") as nowhere, redirect_stdout(nowhere):
        trainer.train()
    trainer.save_model(str(out))


def main() -> None:
    """Measure and print, one figure a line or one line of JSON."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--pairs", type=int, default=192)
    parser.add_argument("--repeats", type=int, default=2)
    parser.add_argument("--size", choices=get_args(Size))
    parser.add_argument("--lora", action="store_true")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    figures = measure(options.pairs, options.repeats, options.size, options.lora)
    if options.json:
        print(json.dumps(figures))
    else:
        for name, value in figures.items():
            print(f"{name:28}{value:12,.3f}")


if __name__ == "__main__":
    main()
