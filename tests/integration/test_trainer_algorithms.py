"""What holds for every algorithm, by TRL's real trainers on a policy that trains in seconds."""

from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
import torch
from transformers import AutoTokenizer

from schemas.errors import ConfigError, Fatal
from schemas.events import Preference
from tests.pair_rows import PAIR_ROWS, goodness
from tests.preferences import preference, said
from tests.tiny_policy import CONTEXT_TOKENS, save_tiny_policy
from trainer.algorithms import ALGORITHMS
from trainer.checkpoint import load_policy, load_reward_model
from trainer.dpo import DpoConfig
from trainer.kto import answers
from trainer.policy import Progress, Train, TrainedPolicy
from trainer.reward import RewardConfig
from trainer.row_lengths import Reading, fit
from trainer.weighted_rewards import Reward

pytestmark = pytest.mark.integration

FAST: dict[str, Any] = {"learning_rate": 5e-3, "epochs": 3, "batch_size": 8}
ONLINE = ("rloo", "grpo")
OFFLINE = [name for name in ALGORITHMS if name not in ONLINE]
LONG = "good " * CONTEXT_TOKENS
# It begins no prompt and ends no answer.
OPEN_ENDED = "{% for message in messages %}{{ message['content'] }} {% endfor %}"
# What has to rise, by TRL's names.
MARGIN = {
    "dpo": "rewards/margins",
    "orpo": "rewards/margins",
    "simpo": "rewards/margins",
    "kto": "rewards/margins",
    "reward": "margin",
    "sft": "mean_token_accuracy",
}


@pytest.fixture(scope="module")
def policy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_tiny_policy(tmp_path_factory.mktemp("policy") / "old")


def ignore(_: Progress) -> None: ...


def trains(name: str, **changes: Any) -> Train:
    """The algorithm, fast."""
    one = ALGORITHMS[name]
    if name not in ONLINE:
        return one.with_config(one.config(**(FAST | changes)))
    config = one.config(**(FAST | {"answers": 4, "answer_tokens": 8} | changes))
    return one.with_config(config, rewards=[Reward(name="good", function=goodness)])


@pytest.mark.parametrize("name", OFFLINE)
def test_loss_falls_margins_rise_and_the_checkpoint_loads(
    name: str, policy: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    seen: list[Progress] = []
    trained = trains(name)(PAIR_ROWS, policy, tmp_path / "new", seen.append)
    assert (trained.algorithm, trained.rows, trained.dropped) == (name, 32, 0)
    assert trained.truncated == 0
    assert trained.metrics["last_loss"] < trained.metrics["first_loss"]
    margin = MARGIN[name]
    assert trained.metrics[f"last_{margin}"] > trained.metrics[f"first_{margin}"]
    assert seen[-1].step == seen[-1].steps == trained.steps
    assert all(one.step < later.step for one, later in pairwise(seen))
    assert capfd.readouterr().out == ""
    assert sorted(path.name for path in tmp_path.iterdir()) == ["new"]
    assert trained.hyper_parameters["max_length"] == str(CONTEXT_TOKENS)

    load = load_reward_model if trained.kind == "reward_model" else load_policy
    assert load(trained.path).tokenizer.chat_template


@pytest.mark.parametrize("name", OFFLINE)
def test_the_same_seed_gives_the_same_weights(name: str, policy: Path, tmp_path: Path) -> None:
    for out in ("one", "two"):
        trains(name, epochs=1)(PAIR_ROWS, policy, tmp_path / out, ignore)
    one, two = ((tmp_path / out / "model.safetensors").read_bytes() for out in ("one", "two"))
    assert one == two
    trains(name, epochs=1, seed=1)(PAIR_ROWS, policy, tmp_path / "other", ignore)
    assert (tmp_path / "other" / "model.safetensors").read_bytes() != one


@pytest.mark.parametrize(
    ("name", "rows", "truncated", "dropped"),
    [
        ("dpo", 10, 2, 1),
        ("orpo", 10, 2, 1),
        ("simpo", 10, 2, 1),
        ("kto", 10, 2, 1),
        # the rejected answer is not read
        ("sft", 10, 1, 1),
        # only whole answers have a score
        ("reward", 8, 0, 3),
    ],
)
def test_what_the_length_cuts_is_counted(
    name: str, rows: int, truncated: int, dropped: int, policy: Path, tmp_path: Path
) -> None:
    dataset = [
        *PAIR_ROWS[:8],
        preference("cut", prompt=said("what", "user"), chosen=said(LONG)),
        preference("cut too", prompt=said("what", "user"), rejected=said(LONG)),
        preference("dropped", prompt=said(LONG, "user")),
    ]
    trained = trains(name, epochs=1)(dataset, policy, tmp_path / "new", ignore)
    assert (trained.rows, trained.truncated, trained.dropped) == (rows, truncated, dropped)


@pytest.mark.parametrize("words", [CONTEXT_TOKENS - 5, CONTEXT_TOKENS - 4])
def test_a_row_that_just_fits_is_not_cut(words: int, policy: Path) -> None:
    """The template adds two tokens to the prompt and two to the answer."""
    row = preference(
        "row", prompt=said("what", "user"), chosen=said("good " * words), rejected=said("bad")
    )
    fitted = fit([row], load_policy(policy), Reading())
    assert fitted.lengths == (words + 5,)
    assert fitted.truncated == (words + 5 > CONTEXT_TOKENS)


@pytest.mark.parametrize(("name", "truncated"), [("dpo", 0), ("orpo", 1), ("simpo", 1)])
def test_the_end_token_that_a_trainer_adds_is_counted(
    name: str, truncated: int, tmp_path: Path
) -> None:
    """The text alone fills the context exactly."""
    policy = save_tiny_policy(tmp_path / "old", template=OPEN_ENDED)
    full = preference(
        "full", prompt=said("what", "user"), chosen=said("good " * (CONTEXT_TOKENS - 1))
    )
    trained = trains(name, epochs=1)([full] * 8, policy, tmp_path / "new", ignore)
    assert trained.truncated == 8 * truncated


@pytest.mark.parametrize("name", ["orpo", "simpo"])
def test_a_prompt_that_fills_the_context_with_the_first_token_that_a_trainer_adds_is_dropped(
    name: str, tmp_path: Path
) -> None:
    """Nothing would be left of its answers, and the mean over no token is no number."""
    policy = save_tiny_policy(tmp_path / "old", template=OPEN_ENDED)
    tokenizer = AutoTokenizer.from_pretrained(policy)
    tokenizer.bos_token = "<|user|>"
    tokenizer.save_pretrained(policy)
    full = preference("full", prompt=said("what " * (CONTEXT_TOKENS - 1), "user"))
    rows = [*PAIR_ROWS[:8], full]
    trained = trains(name, epochs=1)(rows, policy, tmp_path / "new", ignore)
    assert (trained.rows, trained.dropped, trained.truncated) == (8, 1, 0)


@pytest.mark.parametrize("name", ALGORITHMS)
def test_computing_activations_again_changes_nothing(
    name: str, policy: Path, tmp_path: Path
) -> None:
    losses = []
    for again in (False, True):
        train = trains(name, epochs=1, gradient_checkpointing=again)
        trained = train(PAIR_ROWS, policy, tmp_path / str(again), ignore)
        losses.append(trained.metrics["last_loss"])
    assert losses[0] == pytest.approx(losses[1], abs=1e-4)


@pytest.mark.parametrize("name", ALGORITHMS)
def test_what_cannot_be_trained_on_is_refused_and_leaves_nothing(
    name: str, policy: Path, tmp_path: Path
) -> None:
    train, out = trains(name), tmp_path / "new"
    with pytest.raises(ConfigError, match="no rows"):
        train([], policy, out, ignore)
    with pytest.raises(ConfigError, match="every prompt alone fills"):
        train([preference("long", prompt=said(LONG, "user"))], policy, out, ignore)
    with pytest.raises(ConfigError, match="not empty"):
        train(PAIR_ROWS, policy, policy, ignore)
    with pytest.raises(ConfigError, match="more than the 64 tokens"):
        trains(name, max_length=CONTEXT_TOKENS + 1)(PAIR_ROWS, policy, out, ignore)
    with pytest.raises(ConfigError, match="no model checkpoint"):
        train(PAIR_ROWS, tmp_path / "nowhere", out, ignore)
    assert list(tmp_path.iterdir()) == []
    silent = save_tiny_policy(tmp_path / "silent", template=None)
    with pytest.raises(ConfigError, match="no chat template"):
        train(PAIR_ROWS, silent, out, ignore)


@pytest.mark.parametrize("name", ALGORITHMS)
def test_a_training_that_diverges_ends_and_leaves_nothing(
    name: str, policy: Path, tmp_path: Path
) -> None:
    with pytest.raises(Fatal, match="lower the learning rate"):
        trains(name, learning_rate=1e30)(PAIR_ROWS, policy, tmp_path / "new", ignore)
    assert list(tmp_path.iterdir()) == []


def test_weights_that_are_no_numbers_are_not_saved(policy: Path, tmp_path: Path) -> None:
    """One step: its loss was taken before the step broke the weights."""
    broken = trains("sft", learning_rate=1e39, epochs=1, batch_size=32, warmup_share=0)
    with pytest.raises(Fatal, match="weights are no longer numbers"):
        broken(PAIR_ROWS, policy, tmp_path / "new", ignore)
    assert list(tmp_path.iterdir()) == []


def test_rows_too_long_for_a_reward_model_are_refused(policy: Path, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="every row is longer than max_length"):
        trains("reward")(
            [preference("long", prompt=said("what", "user"), chosen=said(LONG))],
            policy,
            tmp_path / "new",
            ignore,
        )


def scores(trained: TrainedPolicy, rows: list[Preference]) -> list[tuple[float, float]]:
    """The reward model's scores of each row's chosen and rejected answer."""
    model = load_reward_model(trained.path)
    found = []
    for row in rows:
        ids = model.token_ids([row.prompt + row.chosen, row.prompt + row.rejected])
        with torch.no_grad():
            one, two = (model.model(torch.tensor([text])).logits.item() for text in ids)
        found.append((one, two))
    return found


def test_a_wide_margin_sets_the_scores_further_apart(policy: Path, tmp_path: Path) -> None:
    rows = [row.model_copy(update={"margin": -8.0}) for row in PAIR_ROWS]
    gaps = {}
    for name, use_margin in (("with", True), ("without", False)):
        train = trains("reward", use_margin=use_margin, epochs=6)
        trained = train(rows, policy, tmp_path / name, ignore)
        assert trained.kind == "reward_model"
        gaps[name] = [chosen - rejected for chosen, rejected in scores(trained, rows)]
    assert all(gap > 0 for gap in gaps["with"])
    assert sum(gaps["with"]) > sum(gaps["without"])


def test_a_reward_model_is_no_policy(policy: Path, tmp_path: Path) -> None:
    model = trains("reward", epochs=1)(PAIR_ROWS, policy, tmp_path / "reward", ignore)
    with pytest.raises(ConfigError, match="writes no answers"):
        trains("dpo")(PAIR_ROWS, model.path, tmp_path / "new", ignore)
    with pytest.raises(ConfigError, match="no reward model"):
        load_reward_model(policy)
    # but it can be trained further
    trains("reward", epochs=1)(PAIR_ROWS, model.path, tmp_path / "further", ignore)


def test_kto_reads_every_answer_once_and_never_a_pair_side_by_side() -> None:
    order = answers(PAIR_ROWS, seed=3)
    assert [good for _, good in order] == [True, False] * len(PAIR_ROWS)
    assert sorted(row.event_id for row, _ in order) == sorted(row.event_id for row in PAIR_ROWS * 2)
    assert all(one.event_id != two.event_id for (one, _), (two, _) in pairwise(order))
    assert answers(PAIR_ROWS, seed=3) == order != answers(PAIR_ROWS, seed=4)


def test_the_robust_loss_with_the_audited_flip_rate_trains(policy: Path, tmp_path: Path) -> None:
    robust = trains("dpo", loss_type="robust", label_flip_rate=0.2)
    trained = robust(PAIR_ROWS, policy, tmp_path / "new", ignore)
    assert trained.hyper_parameters["label_flip_rate"] == "0.2"
    # -((1 - e) log s(0) - e log s(0)) / (1 - 2e) is log 2 whatever e is; the slope is not
    plain = trains("dpo")(PAIR_ROWS, policy, tmp_path / "plain", ignore)
    assert trained.metrics["last_loss"] != pytest.approx(plain.metrics["last_loss"], abs=1e-3)


def test_a_policy_config_of_another_algorithm_is_a_programming_error() -> None:
    with pytest.raises(TypeError, match="DpoConfig is not RewardConfig"):
        ALGORITHMS["reward"].with_config(DpoConfig())
    assert ALGORITHMS["reward"].config is RewardConfig
