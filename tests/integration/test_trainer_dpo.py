"""DPO by TRL on a policy small enough to train in seconds."""

from itertools import pairwise
from pathlib import Path

import pytest

from schemas.errors import ConfigError, Fatal
from schemas.events import Preference
from tests.frozen_rows import frozen_rows
from tests.preferences import preference, said
from tests.tiny_policy import CONTEXT_TOKENS, save_tiny_policy
from trainer.dpo import DpoConfig, train
from trainer.policy import Progress

pytestmark = pytest.mark.integration

CONFIG = DpoConfig(learning_rate=5e-3, epochs=3, batch_size=8)


def row(number: int) -> Preference:
    question = said(f"what is the best answer to item{number}", "user")
    return preference(
        f"row-{number}", prompt=question, chosen=said("yes good"), rejected=said("no very bad")
    )


ROWS = [row(number) for number in range(32)]


@pytest.fixture(scope="module")
def policy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_tiny_policy(tmp_path_factory.mktemp("policy") / "old")


def ignore(_: Progress) -> None: ...


def test_the_margin_of_the_chosen_rises_and_the_checkpoint_loads(
    policy: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    seen: list[Progress] = []
    trained = train(ROWS, policy, CONFIG, tmp_path / "new", seen.append)
    assert (trained.rows, trained.dropped, trained.truncated, trained.steps) == (32, 0, 0, 12)
    assert trained.metrics["first_rewards/margins"] == pytest.approx(0, abs=1e-4)
    assert trained.metrics["last_rewards/margins"] > 0.5
    assert trained.metrics["last_loss"] < trained.metrics["first_loss"]
    assert all(one.step < later.step for one, later in pairwise(seen))
    assert (seen[-1].step, seen[-1].steps) == (12, 12)
    assert capfd.readouterr().out == ""

    from transformers import AutoModelForCausalLM, AutoTokenizer

    AutoModelForCausalLM.from_pretrained(trained.path, local_files_only=True)
    tokenizer = AutoTokenizer.from_pretrained(trained.path, local_files_only=True)
    assert tokenizer.chat_template
    assert sorted(path.name for path in tmp_path.iterdir()) == ["new"]


def test_the_same_manifest_and_seed_give_the_same_policy(policy: Path, tmp_path: Path) -> None:
    once, again = (frozen_rows(rows) for rows in (ROWS, ROWS[::-1]))
    assert once == again
    for name, dataset in (("one", once), ("two", again)):
        train(dataset.rows, policy, CONFIG, tmp_path / name, ignore)
    weights = [(tmp_path / name / "model.safetensors").read_bytes() for name in ("one", "two")]
    assert weights[0] == weights[1]


def test_what_the_length_cuts_is_counted(policy: Path, tmp_path: Path) -> None:
    long = "good " * CONTEXT_TOKENS
    rows = [
        *ROWS[:8],
        preference("cut", prompt=said("what", "user"), chosen=said(long)),
        preference("dropped", prompt=said(long, "user")),
    ]
    config = CONFIG.model_copy(update={"epochs": 1})
    trained = train(rows, policy, config, tmp_path / "new", ignore)
    assert (trained.rows, trained.truncated, trained.dropped) == (9, 1, 1)


def test_a_policy_that_is_not_there_or_cannot_chat_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="no model checkpoint"):
        train(ROWS, tmp_path / "nowhere", CONFIG, tmp_path / "new", ignore)
    silent = save_tiny_policy(tmp_path / "silent", template=None)
    with pytest.raises(ConfigError, match="no chat template"):
        train(ROWS, silent, CONFIG, tmp_path / "new", ignore)


def test_rows_and_folders_that_cannot_be_used_are_refused(policy: Path, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="no rows"):
        train([], policy, CONFIG, tmp_path / "new", ignore)
    with pytest.raises(ConfigError, match="not empty"):
        train(ROWS, policy, CONFIG, policy, ignore)
    too_long = [preference("long", prompt=said("good " * CONTEXT_TOKENS, "user"))]
    with pytest.raises(ConfigError, match="every prompt alone fills"):
        train(too_long, policy, CONFIG, tmp_path / "new", ignore)
    beyond = CONFIG.model_copy(update={"max_length": CONTEXT_TOKENS + 1})
    with pytest.raises(ConfigError, match="more than the 64 tokens"):
        train(ROWS, policy, beyond, tmp_path / "new", ignore)


def test_a_loss_that_is_no_number_ends_the_training_and_leaves_nothing(
    policy: Path, tmp_path: Path
) -> None:
    wild = CONFIG.model_copy(update={"learning_rate": 1e30})
    with pytest.raises(Fatal, match="the loss became"):
        train(ROWS, policy, wild, tmp_path / "new", ignore)
    assert list(tmp_path.iterdir()) == []


def test_the_sft_weight_keeps_the_chosen_answers_likely(policy: Path, tmp_path: Path) -> None:
    """DPO alone may push both answers down, as long as the rejected one falls further."""
    kept = CONFIG.model_copy(update={"sft_weight": 1.0, "length_batches": False})
    alone = train(ROWS, policy, CONFIG, tmp_path / "alone", ignore)
    anchored = train(ROWS, policy, kept, tmp_path / "anchored", ignore)
    assert anchored.metrics["last_logps/chosen"] > alone.metrics["last_logps/chosen"]
    assert anchored.metrics["last_rewards/margins"] > 0.5
