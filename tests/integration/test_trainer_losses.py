"""The loss of the first step, against each paper's formula worked out from the policy itself."""

from collections.abc import Callable
from dataclasses import dataclass
from math import exp, log, log1p
from pathlib import Path
from statistics import fmean
from typing import Any

import pytest
import torch

from tests.pair_rows import PAIR_ROWS
from tests.tiny_policy import save_tiny_policy
from trainer.algorithms import ALGORITHMS
from trainer.checkpoint import Policy, load_policy
from trainer.dpo import DpoConfig, train
from trainer.policy import Progress, TrainedPolicy

pytestmark = pytest.mark.integration


@dataclass(frozen=True)
class Pair:
    """Mean log-probability a token of the two answers; of prompt and chosen answer together.

    ``difference`` is the chosen answer's log-probability less the rejected one's.
    """

    chosen: float
    rejected: float
    whole: float
    difference: float


def log_sigmoid(x: float) -> float:
    return -log1p(exp(-x))


def log_odds(mean: float) -> float:
    return mean - log(1 - exp(mean))


def sft(pair: Pair) -> float:
    return -pair.chosen


def simpo(pair: Pair) -> float:
    """Meng et al. 2024, equation 6, with beta 2.5 and gamma 1.5."""
    return -log_sigmoid(2.5 * (pair.chosen - pair.rejected) - 1.5)


def orpo(pair: Pair) -> float:
    """Hong et al. 2024, equations 6 and 7, with lambda 0.5; the likelihood is that of the whole."""
    return -pair.whole - 0.5 * log_sigmoid(log_odds(pair.chosen) - log_odds(pair.rejected))


def dpo(_: Pair) -> float:
    """No log-ratio differs yet from the reference's."""
    return log(2)


def kto(_: Pair) -> float:
    """1 - sigmoid(0) for good and bad answers."""
    return 0.5


@pytest.mark.parametrize(
    ("name", "formula", "changes"),
    [
        ("sft", sft, {}),
        ("simpo", simpo, {"beta": 2.5, "gamma": 1.5}),
        ("orpo", orpo, {"beta": 0.5}),
        ("dpo", dpo, {}),
        ("dpo", lambda pair: log(2) + sft(pair), {"sft_weight": 1.0}),
        ("kto", kto, {}),
    ],
)
def test_the_first_loss_is_that_of_the_paper(
    name: str, formula: Callable[[Pair], float], changes: dict[str, Any], tmp_path: Path
) -> None:
    folder = save_tiny_policy(tmp_path / "old")
    policy = load_policy(folder)
    batch = 2 * len(PAIR_ROWS) if name == "kto" else len(PAIR_ROWS)
    one = ALGORITHMS[name]
    config = one.config(**{"epochs": 1, "batch_size": batch, "warmup_share": 0} | changes)

    def ignore(_: Progress) -> None: ...

    trained = one.with_config(config)(PAIR_ROWS, folder, tmp_path / "new", ignore)
    expected = [formula(measured(policy, number)) for number in range(len(PAIR_ROWS))]
    assert trained.steps == 1
    assert trained.metrics["first_loss"] == pytest.approx(fmean(expected), abs=2e-4)


def sigmoid(h: float) -> float:
    return -log_sigmoid(h)


def robust(h: float) -> float:
    """Chowdhury et al. 2024, with a fifth of the labels flipped."""
    return (0.8 * sigmoid(h) - 0.2 * sigmoid(-h)) / 0.6


@pytest.mark.parametrize("loss", [sigmoid, robust])
def test_dpos_loss_away_from_the_reference_is_that_of_the_paper(
    loss: Callable[[float], float], tmp_path: Path
) -> None:
    folder, beta = save_tiny_policy(tmp_path / "old"), 0.5
    changes: dict[str, Any] = {"loss_type": loss.__name__, "beta": beta, "learning_rate": 3e-3}
    if loss is not sigmoid:
        changes["label_flip_rate"] = 0.2

    def after(epochs: int) -> TrainedPolicy:
        config = DpoConfig(epochs=epochs, batch_size=len(PAIR_ROWS), warmup_share=0, **changes)
        return train(PAIR_ROWS, folder, config, tmp_path / f"{epochs}", lambda _: None)

    now, then = differences(after(1).path), differences(folder)
    ratios = [one - other for one, other in zip(now, then, strict=True)]
    assert abs(beta * fmean(ratios)) > 0.1
    expected = fmean(loss(beta * ratio) for ratio in ratios)
    assert after(2).metrics["last_loss"] == pytest.approx(expected, abs=2e-4)


def differences(folder: Path) -> list[float]:
    policy = load_policy(folder)
    return [measured(policy, number).difference for number in range(len(PAIR_ROWS))]


def measured(policy: Policy, number: int) -> Pair:
    """Teacher-forced, one text at a time."""
    row = PAIR_ROWS[number]
    (prompt,) = policy.token_ids([row.prompt], for_answer=True)
    whole, means, sums = 0.0, [], []
    for answer in (row.rejected, row.chosen):
        (ids,) = policy.token_ids([row.prompt + answer])
        with torch.no_grad():
            logits = policy.model(torch.tensor([ids])).logits[0, :-1]
        gained = logits.log_softmax(-1).gather(-1, torch.tensor(ids[1:])[:, None])[:, 0]
        answered = gained[len(prompt) - 1 :]
        means.append(answered.mean().item())
        sums.append(answered.sum().item())
        whole = gained.mean().item()
    return Pair(chosen=means[1], rejected=means[0], whole=whole, difference=sums[1] - sums[0])
