"""RLOO and GRPO by TRL's real trainers: what is rewarded becomes likelier."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from schemas.errors import ConfigError
from streams.inference.chat import ChatRequest
from streams.inference.in_process import InProcessModel
from tests.pair_rows import PAIR_ROWS
from tests.preferences import preference, said
from tests.tiny_policy import CONTEXT_TOKENS, save_tiny_policy
from trainer.algorithms import ALGORITHMS
from trainer.best_of_n import BestOfN, BestOfNSettings, best
from trainer.policy import Progress, TrainedPolicy
from trainer.reward import RewardConfig
from trainer.reward import train as train_reward
from trainer.reward_scores import RewardModel
from trainer.weighted_rewards import Reward

pytestmark = pytest.mark.integration

FAST: dict[str, Any] = {
    "learning_rate": 1e-2,
    "epochs": 3,
    "batch_size": 32,
    "answers": 8,
    "answer_tokens": 8,
}
Answers = Sequence[Sequence[dict[str, str]]]


@pytest.fixture(scope="module")
def policy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_tiny_policy(tmp_path_factory.mktemp("policy") / "old")


@pytest.fixture(scope="module")
def reward_model(policy: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Prefers "yes good" to "no very bad"."""
    out = tmp_path_factory.mktemp("reward") / "model"
    config = RewardConfig(learning_rate=5e-3, epochs=6, batch_size=8)
    return train_reward(PAIR_ROWS, policy, config, out, ignore).path


def ignore(_: Progress) -> None: ...


def goodness(completions: Answers, **columns: object) -> list[float | None]:
    return [answer[0]["content"].split().count("good") / 8 for answer in completions]


async def awaited(completions: Answers, **columns: object) -> list[float | None]:
    return goodness(completions)


def trained(
    name: str,
    policy: Path,
    out: Path,
    *,
    rewards: Sequence[Reward] = (),
    columns: Any = None,
    rows: Any = PAIR_ROWS,
    **changes: Any,
) -> TrainedPolicy:
    one = ALGORITHMS[name]
    config = one.config(**(FAST | changes))
    train = one.with_config(config, rewards=rewards, columns=columns)
    return train(rows, policy, out, ignore)


@pytest.mark.parametrize("name", ["rloo", "grpo"])
@pytest.mark.parametrize("function", [goodness, awaited])
def test_what_a_function_rewards_becomes_likelier(
    name: str, function: Any, policy: Path, tmp_path: Path
) -> None:
    rewards = [Reward(name="good", function=function)]
    result = trained(name, policy, tmp_path / "new", rewards=rewards)
    assert result.metrics["last_reward"] > result.metrics["first_reward"] + 0.2
    assert result.metrics["last_reward/good"] == pytest.approx(result.metrics["last_reward"])
    assert result.metrics["first_unknown/good"] == 0
    assert result.metrics["last_kl"] > 0
    assert result.rows == 32


@pytest.mark.parametrize("name", ["rloo", "grpo"])
def test_a_reward_model_rewards(
    name: str, policy: Path, reward_model: Path, tmp_path: Path
) -> None:
    result = trained(name, policy, tmp_path / "new", reward_model=reward_model)
    assert result.metrics["last_reward/model"] > result.metrics["first_reward/model"]


def test_reward_models_of_criteria_count_by_their_weights(
    policy: Path, reward_model: Path, tmp_path: Path
) -> None:
    criteria = {"kindness": {"folder": reward_model, "weight": 0.5}}
    result = trained(
        "grpo",
        policy,
        tmp_path / "new",
        rewards=[Reward(name="good", function=goodness, weight=2.0)],
        criteria=criteria,
        epochs=1,
    )
    kind, good = (result.metrics[f"first_reward/{name}"] for name in ("kindness", "good"))
    assert kind != 0
    assert result.metrics["first_reward"] == pytest.approx(0.5 * kind + 2 * good, abs=1e-4)


@pytest.mark.parametrize("name", ["rloo", "grpo"])
def test_a_length_penalty_beside_a_reward_shortens_answers(
    name: str, policy: Path, tmp_path: Path
) -> None:
    def alike(completions: Answers, **columns: object) -> list[float | None]:
        return [1.0] * len(completions)

    result = trained(
        name,
        policy,
        tmp_path / "new",
        rewards=[Reward(name="alike", function=alike)],
        length_penalty=1.0,
    )
    length = "completions/mean_length"
    assert result.metrics[f"last_{length}"] < result.metrics[f"first_{length}"] - 1
    assert result.metrics["last_reward/length"] > result.metrics["first_reward/length"]


@pytest.mark.parametrize("name", ["rloo", "grpo"])
def test_a_policy_learns_from_the_answers_whose_reward_is_known(
    name: str, policy: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Every second answer's is not; the length penalty alone does not reward it."""

    def half(completions: Answers, **columns: object) -> list[float | None]:
        return [score if n % 2 else None for n, score in enumerate(goodness(completions))]

    rewards = [Reward(name="half", function=half)]
    out = tmp_path / "new"
    result = trained(name, policy, out, rewards=rewards, length_penalty=0.1, epochs=6)
    assert result.metrics["last_unknown/half"] == 0.5
    # TRL would write them
    assert "item" not in caplog.text
    assert result.metrics["last_reward/half"] > result.metrics["first_reward/half"] + 0.2


def known_from(batch: int) -> Reward:
    """A reward that is known of no answer in the batches before this one."""
    asked = 0

    def later(completions: Answers, **columns: object) -> list[float | None]:
        nonlocal asked
        asked += 1
        return goodness(completions) if asked >= batch else [None] * len(completions)

    return Reward(name="later", function=later)


@pytest.mark.parametrize("name", ["rloo", "grpo"])
def test_first_batches_of_which_nothing_is_known_are_gone_on_from(
    name: str, policy: Path, tmp_path: Path
) -> None:
    """Not every prompt says what its answers are checked against."""
    result = trained(name, policy, tmp_path / "new", rewards=[known_from(batch=3)])
    assert result.metrics["first_unknown/later"] == 1
    assert result.metrics["last_reward/later"] > 0


@pytest.mark.parametrize(("name", "epochs", "batches"), [("rloo", 1, 8), ("grpo", 3, 10)])
def test_a_training_none_of_whose_rewards_is_known_leaves_nothing(
    name: str, epochs: int, batches: int, policy: Path, tmp_path: Path
) -> None:
    said_ = rf"no answer of the first {batches} batches .*later: {32 * batches} of {32 * batches}"
    rewards = [known_from(batch=99)]
    with pytest.raises(ConfigError, match=said_):
        trained(name, policy, tmp_path / "new", rewards=rewards, epochs=epochs)
    assert list(tmp_path.iterdir()) == []


def test_kl_holds_the_policy_to_where_it_started(policy: Path, tmp_path: Path) -> None:
    rewards = [Reward(name="good", function=goodness)]
    loose = trained("grpo", policy, tmp_path / "loose", rewards=rewards, beta=1e-4)
    tight = trained("grpo", policy, tmp_path / "tight", rewards=rewards, beta=2.0)
    assert 0 < tight.metrics["last_kl"] < loose.metrics["last_kl"]


def test_reward_functions_are_given_the_columns_of_their_prompt(
    policy: Path, tmp_path: Path
) -> None:
    seen: set[tuple[str, str]] = set()

    def sees(
        completions: Answers, prompt_id: list[str], expectations: list[str], **more: object
    ) -> list[float | None]:
        seen.update(zip(prompt_id, expectations, strict=True))
        return [0.0] * len(completions)

    rewards = [Reward(name="sees", function=sees)]
    columns = {row.prompt_id: {"expectations": f"of {row.event_id}"} for row in PAIR_ROWS}
    trained("rloo", policy, tmp_path / "new", rewards=rewards, columns=columns, epochs=1)
    assert seen == {(row.prompt_id, f"of {row.event_id}") for row in PAIR_ROWS}
    del columns[PAIR_ROWS[3].prompt_id]
    with pytest.raises(ConfigError, match="1 prompts have no columns"):
        trained("rloo", policy, tmp_path / "other", rewards=rewards, columns=columns)


def test_prompts_that_fill_no_batch_are_trained_on(policy: Path, tmp_path: Path) -> None:
    """Seven prompts at four a batch, one of them in two rows."""
    seen: set[str] = set()

    def sees(completions: Answers, prompt_id: list[str], **more: object) -> list[float | None]:
        seen.update(prompt_id)
        return [0.0] * len(completions)

    again = preference("again", prompt_id=PAIR_ROWS[0].prompt_id, prompt=PAIR_ROWS[0].prompt)
    rows = [*PAIR_ROWS[:7], again]
    rewards = [Reward(name="sees", function=sees)]
    result = trained("rloo", policy, tmp_path / "new", rewards=rewards, rows=rows, epochs=1)
    assert (result.rows, result.steps) == (8, 2)
    assert seen == {row.prompt_id for row in PAIR_ROWS[:7]}


def test_a_prompt_without_room_for_an_answer_is_dropped(policy: Path, tmp_path: Path) -> None:
    """The template adds two tokens to a prompt, and one that begins the answer."""
    words = CONTEXT_TOKENS - 8 - 3
    fits = preference("fits", prompt=said("good " * words, "user"))
    over = preference("over", prompt=said("good " * (words + 1), "user"))
    rewards = [Reward(name="good", function=goodness)]
    result = trained("grpo", policy, tmp_path / "new", rewards=rewards, rows=[fits, over], epochs=1)
    assert (result.rows, result.dropped, result.truncated) == (1, 1, 0)


def test_without_a_reward_nothing_is_trained(policy: Path, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="nothing rewards an answer"):
        trained("grpo", policy, tmp_path / "new", length_penalty=1.0)
    with pytest.raises(ConfigError, match="no reward model"):
        trained("grpo", policy, tmp_path / "new", reward_model=policy)
    assert list(tmp_path.iterdir()) == []


def test_a_reward_function_that_miscounts_is_named(policy: Path, tmp_path: Path) -> None:
    def short(completions: Answers, **columns: object) -> list[float | None]:
        return [1.0]

    with pytest.raises(ConfigError, match="the reward short gave 1 values for 32 completions"):
        trained("rloo", policy, tmp_path / "new", rewards=[Reward(name="short", function=short)])
    assert list(tmp_path.iterdir()) == []


async def test_best_of_n_gives_the_answer_that_the_reward_model_scores_highest(
    policy: Path, reward_model: Path
) -> None:
    request = ChatRequest(messages=PAIR_ROWS[0].prompt, max_tokens=8, temperature=1.0, seed=5)
    scorer, sampler = RewardModel(reward_model), InProcessModel(policy)
    try:
        answers = [
            await sampler.complete(request.model_copy(update={"seed": 5 * 4 + one}))
            for one in range(4)
        ]
        chosen = await BestOfN(sampler, scorer, BestOfNSettings(n=4)).complete(request)
    finally:
        await sampler.aclose()
    scores = scorer.scores([request.messages + said(answer.text) for answer in answers])
    assert len({answer.text for answer in answers}) > 1
    assert chosen.text == answers[best(scores) or 0].text


def test_the_reward_model_scores_the_better_answer_higher(reward_model: Path) -> None:
    model = RewardModel(reward_model)
    prompt = PAIR_ROWS[0].prompt
    chats = [prompt + said(text) for text in ("yes good", "no very bad", "good " * CONTEXT_TOKENS)]
    good, bad, unread = model.scores(chats)
    assert good is not None
    assert bad is not None
    assert good > bad
    assert unread is None
    # padding beside a longer text changes nothing
    assert model.scores([chats[0]]) == [pytest.approx(good, abs=1e-5)]
