"""Tokens a second of a DPO training beside bare TRL, on the same rows in one run.

    python -m bench.trainer [--pairs 192] [--repeats 2] [--json]

Both train Harbor's policy with the same rows, batch size, epochs and loss, from the checkpoint on
disk to a saved one. Tokens are those of prompts and answers, without padding. ``ours`` is what
`prefstream train` does: it checks lengths and weights, batches rows of like length and saves
checkpoints to go on from; ``ours_shuffled`` batches at random, as TRL does. The runs take turns,
and of each the quickest counts. The ratios are of processor time, which other work on the machine
moves less than the clock.
"""

import argparse
import json
import os
import tempfile
import time
from collections.abc import Callable, Sequence
from contextlib import redirect_stdout
from pathlib import Path

from bench.harbor_pairs import harbor_pairs
from examples.harbor import policy
from schemas.events import Preference
from streams.inference.device import compute_device
from trainer.checkpoint import load_policy
from trainer.dpo import DpoConfig, train
from trainer.quiet import quiet
from trainer.trl_trainer import pair

_EPOCHS, _BATCH, _RATE = 1, 16, 3e-4


def measure(pairs: int, repeats: int) -> dict[str, float]:
    """Tokens a second of each, and what ours are of TRL's."""
    rows = harbor_pairs(pairs)
    tokens = _tokens(rows) * _EPOCHS
    runs: dict[str, Callable[[Path], None]] = {
        "trl": lambda out: _bare(rows, out),
        "ours": lambda out: _ours(rows, out, length_batches=True),
        "ours_shuffled": lambda out: _ours(rows, out, length_batches=False),
    }
    seconds: dict[str, list[float]] = {name: [] for name in runs}
    cpu_s: dict[str, list[float]] = {name: [] for name in runs}
    with tempfile.TemporaryDirectory() as folder, quiet():
        _bare(rows[:_BATCH], Path(folder) / "warm")
        for turn in range(repeats):
            for name, run in runs.items():
                begin, cpu = time.perf_counter(), time.process_time()
                run(Path(folder) / f"{name}-{turn}")
                seconds[name].append(time.perf_counter() - begin)
                cpu_s[name].append(time.process_time() - cpu)
    best = {name: tokens / min(taken) for name, taken in seconds.items()}
    of_cpu = {name: tokens / min(taken) for name, taken in cpu_s.items()}
    return {"pairs": pairs, "tokens": tokens} | {
        **{f"{name}_tokens_per_s": rate for name, rate in best.items()},
        **{f"{name}_tokens_per_cpu_s": rate for name, rate in of_cpu.items()},
        "ours_over_trl": of_cpu["ours"] / of_cpu["trl"],
        "shuffled_over_trl": of_cpu["ours_shuffled"] / of_cpu["trl"],
    }


def _tokens(rows: Sequence[Preference]) -> int:
    loaded = load_policy(policy.CHECKPOINT)
    chats = [row.prompt + answer for row in rows for answer in (row.chosen, row.rejected)]
    return sum(map(len, loaded.token_ids(chats)))


def _ours(rows: Sequence[Preference], out: Path, *, length_batches: bool) -> None:
    config = DpoConfig(
        learning_rate=_RATE, epochs=_EPOCHS, batch_size=_BATCH, length_batches=length_batches
    )
    train(rows, policy.CHECKPOINT, config, out, lambda _: None)


def _bare(rows: Sequence[Preference], out: Path) -> None:
    """As TRL's own example does it."""
    import torch
    from datasets import Dataset
    from transformers import AutoModelForCausalLM, AutoTokenizer
    from trl.trainer.dpo_config import DPOConfig
    from trl.trainer.dpo_trainer import DPOTrainer

    model = AutoModelForCausalLM.from_pretrained(policy.CHECKPOINT, dtype=torch.float32)
    trainer = DPOTrainer(
        model=model,
        args=DPOConfig(
            output_dir=str(out),
            num_train_epochs=_EPOCHS,
            per_device_train_batch_size=_BATCH,
            learning_rate=_RATE,
            precompute_ref_log_probs=True,
            gradient_checkpointing=False,
            bf16=False,
            use_cpu=compute_device() == "cpu",
            save_strategy="no",
            report_to="none",
            disable_tqdm=True,
        ),
        train_dataset=Dataset.from_list([pair(row) for row in rows]),
        processing_class=AutoTokenizer.from_pretrained(policy.CHECKPOINT),
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
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    figures = measure(options.pairs, options.repeats)
    if options.json:
        print(json.dumps(figures))
    else:
        for name, value in figures.items():
            print(f"{name:28}{value:12,.3f}")


if __name__ == "__main__":
    main()
