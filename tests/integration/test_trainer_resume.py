"""A training that was ended goes on from its checkpoint and ends with the same weights."""

import shutil
from pathlib import Path
from typing import Any

import pytest

from schemas.errors import ConfigError
from tests.pair_rows import PAIR_ROWS, goodness
from tests.tiny_policy import save_tiny_policy
from trainer.algorithms import ALGORITHMS
from trainer.checkpoint import part_dir
from trainer.policy import Progress, Train, Watch
from trainer.progress import Diverged
from trainer.weighted_rewards import Reward

pytestmark = pytest.mark.integration

ONLINE = ("rloo", "grpo")
SETTINGS: dict[str, Any] = {"learning_rate": 5e-3, "epochs": 3, "batch_size": 8}


@pytest.fixture(scope="module")
def policy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_tiny_policy(tmp_path_factory.mktemp("policy") / "old")


def ignore(_: Progress) -> None: ...


def ends_at(step: int, how: type[BaseException] = KeyboardInterrupt) -> Watch:
    """Somebody ends the training once this step is logged."""

    def watch(progress: Progress) -> None:
        if progress.step == step:
            raise how

    return watch


def trains(name: str, **changes: Any) -> Train:
    one = ALGORITHMS[name]
    if name not in ONLINE:
        return one.with_config(one.config(**(SETTINGS | changes)))
    config = one.config(**(SETTINGS | {"answers": 4, "answer_tokens": 8, "epochs": 1} | changes))
    return one.with_config(config, rewards=[Reward(name="good", function=goodness)])


def weights(folder: Path) -> bytes:
    return (folder / "model.safetensors").read_bytes()


@pytest.mark.parametrize("name", ALGORITHMS)
def test_it_ends_with_the_weights_of_one_that_ran_through(
    name: str, policy: Path, tmp_path: Path
) -> None:
    """In the middle of an epoch, also where the rows' order and answers are random."""
    rows = PAIR_ROWS[:24]
    whole = trains(name)(rows, policy, tmp_path / "whole", ignore)
    with pytest.raises(KeyboardInterrupt):
        trains(name)(rows, policy, tmp_path / "new", ends_at(whole.steps - 1))
    assert sorted(path.name for path in tmp_path.iterdir()) == ["new.part", "whole"]
    resumed = trains(name)(rows, policy, tmp_path / "new", ignore)
    assert 0 < resumed.resumed_from < resumed.steps == whole.steps
    assert weights(tmp_path / "new") == weights(tmp_path / "whole")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["new", "whole"]


def test_another_training_in_the_same_folder_is_refused_by_what_differs(
    policy: Path, tmp_path: Path
) -> None:
    out = tmp_path / "new"
    with pytest.raises(KeyboardInterrupt):
        trains("dpo")(PAIR_ROWS, policy, out, ends_at(11))
    with pytest.raises(ConfigError, match=r"another learning_rate \(0.005, now 0.1\)"):
        trains("dpo", learning_rate=0.1)(PAIR_ROWS, policy, out, ignore)
    with pytest.raises(ConfigError, match="another rows_sha256"):
        trains("dpo")(PAIR_ROWS[1:], policy, out, ignore)
    other = save_tiny_policy(tmp_path / "other", more_words=["more"])
    with pytest.raises(ConfigError, match=r"another policy \(sha256:"):
        trains("dpo")(PAIR_ROWS, other, out, ignore)
    with pytest.raises(ConfigError, match=r"another algorithm \(dpo, now sft\)"):
        trains("sft")(PAIR_ROWS, policy, out, ignore)
    # nothing of it was lost
    assert trains("dpo")(PAIR_ROWS, policy, out, ignore).resumed_from > 0


def test_other_weights_of_its_reward_model_are_refused_too(policy: Path, tmp_path: Path) -> None:
    """Or none: a disk that is not mounted yet, say."""
    reward, away = tmp_path / "reward", tmp_path / "away"
    trains("reward", epochs=1)(PAIR_ROWS, policy, reward, ignore)
    grpo = trains("grpo", reward_model=reward)
    with pytest.raises(KeyboardInterrupt):
        grpo(PAIR_ROWS, policy, tmp_path / "new", ends_at(11))
    reward.rename(away)
    with pytest.raises(ConfigError, match=r"another weights of model \(sha256:\w+, now none\)"):
        grpo(PAIR_ROWS, policy, tmp_path / "new", ignore)
    trains("reward", epochs=1, seed=1)(PAIR_ROWS, policy, reward, ignore)
    with pytest.raises(ConfigError, match=r"another weights of model \(sha256:\w+, now sha256:"):
        grpo(PAIR_ROWS, policy, tmp_path / "new", ignore)
    shutil.rmtree(reward)
    away.rename(reward)
    assert grpo(PAIR_ROWS, policy, tmp_path / "new", ignore).resumed_from > 0


def test_what_is_missing_when_it_goes_on_costs_no_step_that_was_saved(
    policy: Path, tmp_path: Path
) -> None:
    there = True

    def asked(completions: list[list[dict[str, str]]], **columns: object) -> list[float]:
        if not there:
            raise ConfigError("nobody rewards")
        return goodness(completions)

    one = ALGORITHMS["rloo"]
    config = one.config(**(SETTINGS | {"answers": 4, "answer_tokens": 8, "epochs": 1}))
    rloo = one.with_config(config, rewards=[Reward(name="asked", function=asked)])
    with pytest.raises(KeyboardInterrupt):
        rloo(PAIR_ROWS, policy, tmp_path / "new", ends_at(11))
    there = False
    with pytest.raises(ConfigError, match="nobody rewards"):
        rloo(PAIR_ROWS, policy, tmp_path / "new", ignore)
    there = True
    assert rloo(PAIR_ROWS, policy, tmp_path / "new", ignore).resumed_from > 0


def test_a_half_written_checkpoint_is_not_gone_on_from(policy: Path, tmp_path: Path) -> None:
    out = tmp_path / "new"
    with pytest.raises(KeyboardInterrupt):
        trains("dpo")(PAIR_ROWS, policy, out, ends_at(11))
    (newest,) = part_dir(out).glob("checkpoint-*")
    half = part_dir(out) / "checkpoint-999"
    half.mkdir()
    (half / "model.safetensors").write_bytes(b"half")
    assert trains("dpo")(PAIR_ROWS, policy, out, ignore).resumed_from == int(newest.name[11:])
    with pytest.raises(KeyboardInterrupt):
        trains("dpo")(PAIR_ROWS, policy, tmp_path / "again", ends_at(11))
    (newest,) = part_dir(tmp_path / "again").glob("checkpoint-*")
    (newest / "complete").unlink()
    assert trains("dpo")(PAIR_ROWS, policy, tmp_path / "again", ignore).resumed_from == 0


def test_without_checkpoints_nothing_is_left(policy: Path, tmp_path: Path) -> None:
    with pytest.raises(KeyboardInterrupt):
        trains("dpo", checkpoints=0)(PAIR_ROWS, policy, tmp_path / "new", ends_at(11))
    assert list(tmp_path.iterdir()) == []


def test_the_checkpoints_of_a_training_that_diverges_are_removed(
    policy: Path, tmp_path: Path
) -> None:
    """They would only lead there again."""
    with pytest.raises(Diverged):
        trains("dpo")(PAIR_ROWS, policy, tmp_path / "new", ends_at(11, Diverged))
    assert list(tmp_path.iterdir()) == []
