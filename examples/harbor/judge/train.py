"""Retrain Harbor's judge: `python -m examples.harbor.judge.train` (10 to 15 minutes, 2 cores).

From nothing, on simulated comparisons of train questions in the prompts of streams/judge. Its
accuracy is printed on comparisons of dev questions; anchors and benchmark are never opened here.
"""

import argparse
import math
import os
import time
from itertools import islice
from pathlib import Path
from typing import Final

import torch
from torch.nn.functional import cross_entropy
from transformers import PreTrainedModel, PreTrainedTokenizerBase

from examples.harbor import small_llama
from examples.harbor.judge import model as judge_model
from examples.harbor.judge.batches import Batch, batches, encode
from examples.harbor.judge.exchanges import exchanges
from examples.harbor.judge.tokenizer import new_tokenizer
from examples.harbor.questions import questions
from streams.judge.rubric import Rubric, load_rubric

SEED: Final = 7
PROJECT: Final = Path(__file__).parents[1] / "project"
RUBRIC: Final = "harbor/1"

_ROWS: Final = 48
_STEPS: Final = 1500
_WARM_UP_STEPS: Final = 100
_LEARNING_RATE: Final = 2e-3
_FLOOR: Final = 0.1  # of the learning rate, at the end
_VOCABULARY_SAMPLE: Final = 4_000
_DEV_SAMPLE: Final = 256
_REPORT_EVERY: Final = 100


def train(target: Path, steps: int, threads: int) -> None:
    """Train from nothing and save to `target`."""
    torch.set_num_threads(threads)
    rubric = load_rubric(PROJECT, RUBRIC)
    tokenizer = _vocabulary()
    model = judge_model.new_model(tokenizer, SEED)
    print(f"{model.num_parameters() / 1e6:.2f} M parameters, {len(tokenizer)} words", flush=True)
    optimizer = torch.optim.AdamW(
        model.parameters(), lr=_LEARNING_RATE, betas=(0.9, 0.98), weight_decay=0.01
    )
    schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: _rate(step, steps))
    started = time.monotonic()
    data = batches(tokenizer, rubric, exchanges(questions("train"), SEED), rows=_ROWS, seed=SEED)
    for step, batch in enumerate(islice(data, steps), start=1):
        loss = _loss(model, batch)
        optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        schedule.step()
        if step % _REPORT_EVERY == 0 or step == steps:
            report = accuracy(model, tokenizer, rubric)
            seconds = time.monotonic() - started
            print(f"step {step}, {seconds:.0f} s, loss {loss.item():.3f}, {report}", flush=True)
    small_llama.save(model, tokenizer, target)


def accuracy(model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase, rubric: Rubric) -> str:
    """Shares of dev comparisons with the right verdict, and with every citation right."""
    sample = list(islice(exchanges(questions("dev"), SEED), _DEV_SAMPLE))
    verdicts = exact = 0
    for start in range(0, len(sample), 64):
        encoded = encode(tokenizer, rubric, sample[start : start + 64])
        written = judge_model.write(model, tokenizer, [each.prompt for each in encoded])
        for each, found in zip(encoded, written, strict=True):
            verdicts += found[-2:] == each.opinion[-2:]
            exact += found == each.opinion
    total = len(sample)
    return f"dev: verdict right {verdicts / total:.1%}, all of it right {exact / total:.1%}"


def _vocabulary() -> PreTrainedTokenizerBase:
    sample = list(islice(exchanges(questions("train"), SEED + 1), _VOCABULARY_SAMPLE))
    sides = (side for each in sample for side in (each.comparison.a, each.comparison.b))
    texts = [side.candidate.output for side in sides]
    return new_tokenizer([*texts, *(each.opinion for each in sample)])


def _rate(step: int, steps: int) -> float:
    """Linear warm-up, then half a cosine."""
    falling = 0.5 * (1 + math.cos(math.pi * min(1.0, step / steps)))
    return min(1.0, (step + 1) / _WARM_UP_STEPS) * (_FLOOR + (1 - _FLOOR) * falling)


def _loss(model: PreTrainedModel, batch: Batch) -> torch.Tensor:
    logits = model(input_ids=batch.tokens).logits[:, :-1]
    losses = cross_entropy(logits.transpose(1, 2), batch.tokens[:, 1:], reduction="none")
    weights = batch.weights[:, 1:]
    return (losses * weights).sum() / weights.sum()


def main() -> None:
    """Train, report, save."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--target", type=Path, default=judge_model.CHECKPOINT)
    parser.add_argument("--steps", type=int, default=_STEPS)
    parser.add_argument("--threads", type=int, default=min(2, os.cpu_count() or 1))
    options = parser.parse_args()
    train(options.target, options.steps, options.threads)


if __name__ == "__main__":
    main()
