"""LoRA: a small adapter is trained and merged: the checkpoint is a policy like any other."""

from pathlib import Path
from typing import Any

import pytest
from safetensors.torch import load_file

from schemas.errors import ConfigError
from tests.pair_rows import PAIR_ROWS, goodness
from tests.tiny_policy import save_tiny_policy
from trainer.algorithms import ALGORITHMS
from trainer.checkpoint import load_policy, load_reward_model
from trainer.lora import LoraSettings
from trainer.policy import Progress, Train
from trainer.weighted_rewards import Reward

pytestmark = pytest.mark.integration

ADAPTER = LoraSettings(rank=4, alpha=8, target_modules=("q_proj", "v_proj"))
FAST: dict[str, Any] = {"learning_rate": 2e-2, "epochs": 2, "batch_size": 8, "lora": ADAPTER}


@pytest.fixture(scope="module")
def policy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_tiny_policy(tmp_path_factory.mktemp("policy") / "old")


def ignore(_: Progress) -> None: ...


def trains(name: str, **changes: Any) -> Train:
    one = ALGORITHMS[name]
    if name not in ("rloo", "grpo"):
        return one.with_config(one.config(**(FAST | changes)))
    config = one.config(**(FAST | {"answers": 4, "answer_tokens": 8, "epochs": 1} | changes))
    return one.with_config(config, rewards=[Reward(name="good", function=goodness)])


@pytest.mark.parametrize("name", ALGORITHMS)
def test_only_the_named_layers_change_and_the_checkpoint_loads(
    name: str, policy: Path, tmp_path: Path
) -> None:
    trained = trains(name)(PAIR_ROWS, policy, tmp_path / "new", ignore)
    before, after = (load_file(path / "model.safetensors") for path in (policy, trained.path))
    changed = {name for name in before.keys() & after.keys() if not before[name].equal(after[name])}
    assert changed
    assert all("q_proj" in name or "v_proj" in name for name in changed)
    assert not any("lora" in name for name in after)
    adapter = load_file(trained.path / "adapter" / "adapter_model.safetensors")
    assert any("lora_A" in name for name in adapter)
    load = load_reward_model if trained.kind == "reward_model" else load_policy
    assert load(trained.path).tokenizer.chat_template
    assert sorted(path.name for path in tmp_path.iterdir()) == ["new"]


@pytest.mark.parametrize("name", ["dpo", "reward"])
@pytest.mark.parametrize("missing", ["v_porj", "proj", "mlp", "lm_head"])
def test_a_layer_that_is_not_there_is_named(
    name: str, missing: str, policy: Path, tmp_path: Path
) -> None:
    """Beside one that is there: peft trains that one alone."""
    adapter = LoraSettings(rank=4, target_modules=("q_proj", missing))
    with pytest.raises(ConfigError, match=rf"{missing} is no layer of .*old.*down_proj, embed_"):
        trains(name, lora=adapter)(PAIR_ROWS, policy, tmp_path / "new", ignore)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", [one for one in ALGORITHMS if one not in ("rloo", "grpo")])
def test_the_adapters_dropout_is_not_turned_off(name: str, policy: Path, tmp_path: Path) -> None:
    for out, dropout in (("with", 0.5), ("without", 0.0)):
        adapter = ADAPTER.model_copy(update={"dropout": dropout})
        trains(name, lora=adapter, epochs=1)(PAIR_ROWS, policy, tmp_path / out, ignore)
    one, two = ((tmp_path / out / "model.safetensors").read_bytes() for out in ("with", "without"))
    assert one != two


def test_an_adapter_learns_and_goes_on_after_a_kill(policy: Path, tmp_path: Path) -> None:
    def ends(progress: Progress) -> None:
        if progress.step == 7:
            raise KeyboardInterrupt

    whole = trains("dpo")(PAIR_ROWS, policy, tmp_path / "whole", ignore)
    assert whole.metrics["last_rewards/margins"] > 0.05
    with pytest.raises(KeyboardInterrupt):
        trains("dpo")(PAIR_ROWS, policy, tmp_path / "new", ends)
    resumed = trains("dpo")(PAIR_ROWS, policy, tmp_path / "new", ignore)
    assert resumed.resumed_from > 0
    one, two = ((tmp_path / out / "model.safetensors").read_bytes() for out in ("whole", "new"))
    assert one == two
