"""GRPO and RLOO by TRL, rewarded by checks, on a policy small enough to train in seconds."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from streams.verify.settings import VerifySettings
from tests.tiny_policy import save_tiny_policy
from trainer.rewards import AsyncCheckRewards, CheckRewards

pytestmark = pytest.mark.integration

# A number from 3 to 7 is right: often enough by chance that there is something to learn from.
NEAR_FIVE = {"kind": "NUMERIC", "spec": "5", "params": {"absolute": "2"}}


@pytest.fixture(scope="module")
def policy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("policy") / "old"
    return save_tiny_policy(folder, more_words=[str(number) for number in range(10)])


@pytest.fixture(params=[CheckRewards, AsyncCheckRewards])
def rewards(request: pytest.FixtureRequest) -> Iterator[Any]:
    made = request.param(VerifySettings(children=1), Path())
    yield made
    made.close()


def rows(*, conversational: bool, as_json: bool) -> Any:
    from datasets import Dataset

    def prompt(number: int) -> Any:
        text = f"what is the best answer to item{number}"
        return [{"role": "user", "content": text}] if conversational else f"<|user|> {text} <|end|>"

    expectations = [NEAR_FIVE]
    return Dataset.from_list(
        [
            {
                "prompt": prompt(number),
                "expectations": json.dumps(expectations) if as_json else expectations,
            }
            for number in range(16)
        ]
    )


def train(kind: str, rewards: Any, policy: Path, out: Path, dataset: Any, steps: int) -> Any:
    import trl
    from transformers import AutoTokenizer

    arguments = {
        "output_dir": str(out),
        "max_steps": steps,
        "per_device_train_batch_size": 16,
        "num_generations": 8,
        "max_completion_length": 8,
        "learning_rate": 1e-2,
        "use_cpu": True,
        "bf16": False,
        "logging_steps": 1,
        "report_to": "none",
        "save_strategy": "no",
        "disable_tqdm": True,
        "seed": 0,
    }
    trainer = getattr(trl, f"{kind}Trainer")(
        model=str(policy),
        reward_funcs=rewards,
        args=getattr(trl, f"{kind}Config")(**arguments),
        train_dataset=dataset,
        processing_class=AutoTokenizer.from_pretrained(policy, local_files_only=True),
    )
    trainer.train()
    return trainer


@pytest.mark.parametrize("kind", ["GRPO", "RLOO"])
def test_two_steps_are_trained_on_the_rewards_of_checks(
    kind: str, rewards: Any, policy: Path, tmp_path: Path
) -> None:
    dataset = rows(conversational=kind == "GRPO", as_json=kind == "RLOO")
    trainer = train(kind, rewards, policy, tmp_path, dataset, steps=2)
    assert trainer.state.global_step == 2
    logged = [row["rewards/checks/mean"] for row in trainer.state.log_history if "reward" in row]
    assert len(logged) == 2
    assert all(0 <= mean <= 1 for mean in logged)
    assert any(mean > 0 for mean in logged)


def test_the_policy_learns_what_the_checks_reward(policy: Path, tmp_path: Path) -> None:
    rewards = CheckRewards(VerifySettings(children=1), Path())
    dataset = rows(conversational=True, as_json=False)
    try:
        trainer = train("GRPO", rewards, policy, tmp_path, dataset, steps=24)
    finally:
        rewards.close()
    means = [row["rewards/checks/mean"] for row in trainer.state.log_history if "reward" in row]
    assert sum(means[-4:]) / 4 > sum(means[:4]) / 4 + 0.2
