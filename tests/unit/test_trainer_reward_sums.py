"""Rewards put together, and the best of several answers."""

import asyncio
import math
from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from schemas.errors import ConfigError, Poison
from schemas.records import Message
from streams.inference.chat import ChatAnswer, ChatRequest
from tests.preferences import said
from trainer.best_of_n import BestOfN, BestOfNSettings, best
from trainer.grpo import GrpoConfig
from trainer.weighted_rewards import LengthPenalty, Reward, WeightedRewards, weighted

SCORES = st.lists(st.none() | st.floats(allow_nan=True, allow_infinity=False))


def test_an_answer_whose_reward_is_not_known_has_no_sum() -> None:
    """TRL's own sum would take it for 0."""
    assert weighted([[1.0, None, 0.5], [-0.5, -1.0, 0.0]], [2.0, 1.0]) == [1.5, None, 1.0]


def test_rewards_are_awaited_or_called_and_their_means_logged() -> None:
    async def awaited(completions: Sequence[str], **columns: object) -> list[float | None]:
        return [1.0, None, 0.0]

    class Called:
        def __call__(self, completions: Sequence[str], **columns: object) -> list[float | None]:
            # as a function does that runs a verifier
            return asyncio.run(awaited(completions))[::-1]

    rewards = WeightedRewards(
        [Reward(name="one", function=awaited), Reward(name="two", function=Called(), weight=0.5)]
    )
    logged: dict[str, Any] = {}
    found = asyncio.run(rewards(completions=["a", "b", "c"], log_metric=logged.__setitem__))
    assert found == [1.0, None, 0.5]
    third = pytest.approx(1 / 3)
    assert logged == {
        "reward/one": 0.5,
        "unknown/one": third,
        "reward/two": 0.5,
        "unknown/two": third,
    }


def test_what_is_not_known_is_counted() -> None:
    known: list[float | None] = [None, None]
    rewards = WeightedRewards([Reward(name="checks", function=lambda **columns: known)])
    assert asyncio.run(rewards(completions=["a", "b"])) == [None, None]
    assert not rewards.any_known
    known[0] = 1.0
    assert asyncio.run(rewards(completions=["a", "b"])) == [1.0, None]
    assert (rewards.any_known, rewards.batches) == (True, 2)
    assert rewards.unknown() == "checks: 3 of 4 unknown"


def test_a_reward_that_miscounts_is_named() -> None:
    rewards = WeightedRewards([Reward(name="odd", function=lambda **columns: [1.0])])
    with pytest.raises(ConfigError, match="the reward odd gave 1 values for 2 completions"):
        asyncio.run(rewards(completions=["a", "b"]))


def test_the_penalty_begins_after_the_free_tokens_and_ends_at_the_most() -> None:
    penalty = LengthPenalty(free_tokens=10, max_tokens=20)
    ids = [[0] * length for length in (0, 10, 15, 20, 30)]
    assert penalty(completion_ids=ids) == [0, 0, -0.5, -1, -1]


def test_groups_that_do_not_fill_a_batch_are_refused() -> None:
    with pytest.raises(ValidationError, match="batch_size 12 is no multiple of answers 8"):
        GrpoConfig(batch_size=12)


def test_a_penalty_without_a_length_to_penalise_is_refused() -> None:
    with pytest.raises(ValidationError, match="free_tokens 8 leaves no length"):
        GrpoConfig(answer_tokens=8, free_tokens=8)


def test_without_a_kl_term_nothing_holds_the_policy() -> None:
    with pytest.raises(ValidationError, match="beta"):
        GrpoConfig(beta=0)


@given(scores=SCORES)
def test_the_best_has_the_highest_score_and_is_the_first_of_equals(
    scores: list[float | None],
) -> None:
    chosen = best(scores)
    known = [score for score in scores if score is not None and not math.isnan(score)]
    assert chosen == (scores.index(max(known)) if known else None)


class Sampler:
    """Answers with the seed and temperature that it was asked with."""

    model = "sampler"

    async def complete(self, request: ChatRequest) -> ChatAnswer:
        text = f"seed {request.seed} at {request.temperature}"
        return ChatAnswer(text=text, model=self.model, output_tokens=5)

    async def aclose(self) -> None: ...


class Seeds:
    """Scores the seed of an answer, as far as it is known here."""

    def __init__(self, scores: dict[int, float | None]) -> None:
        self._scores = scores

    def scores(self, chats: Sequence[Sequence[Message]]) -> list[float | None]:
        return [self._scores[int(chat[-1].content.split()[1])] for chat in chats]


def test_the_reward_models_favourite_of_n_answers_is_given() -> None:
    model = BestOfN(Sampler(), Seeds({6: 0.1, 7: 2.0, 8: None}), BestOfNSettings(n=3))
    request = ChatRequest(messages=said("hello", "user"), max_tokens=9, seed=2)
    answer = asyncio.run(model.complete(request))
    assert answer.text == "seed 7 at 0.7"
    assert answer.output_tokens == 15
    assert answer.model == "sampler best of 3"
    warm = request.model_copy(update={"temperature": 1.5})
    assert asyncio.run(model.complete(warm)).text == "seed 7 at 1.5"


def test_answers_that_nobody_can_score_are_refused() -> None:
    model = BestOfN(Sampler(), Seeds({0: None, 1: math.nan}), BestOfNSettings(n=2))
    with pytest.raises(Poison, match="none of 2 answers can be scored"):
        asyncio.run(model.complete(ChatRequest(messages=said("hello", "user"), max_tokens=9)))
