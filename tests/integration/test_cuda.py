"""On a graphics card models answer and learn as they do on the CPU. Skipped where there is none.

Needs no broker and no ClickHouse: with ``--noconftest`` neither have their clients to be installed.
"""

import asyncio
import math
from collections.abc import Sequence
from pathlib import Path

import pytest
import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

from examples.harbor.policy import CHECKPOINT as POLICY
from examples.harbor.prompts import messages
from examples.harbor.questions import questions
from infra.settings import Settings
from schemas.errors import Fatal
from streams.inference.chat import ChatAnswer, ChatRequest
from streams.inference.device import Device, compute_device, has_bfloat16
from streams.inference.in_process import InProcessModel
from streams.inference.in_process_weights import load_weights
from tests.pair_rows import PAIR_ROWS
from tests.tiny_policy import save_tiny_policy
from trainer.dpo import DpoConfig
from trainer.dpo import train as train_dpo
from trainer.promotion.kl import kl_per_token
from trainer.prompts import Prompt
from trainer.reward import RewardConfig
from trainer.reward import train as train_reward
from trainer.reward_scores import RewardModel

pytestmark = [
    pytest.mark.integration,
    pytest.mark.skipif(not torch.cuda.is_available(), reason="torch can use no graphics card here"),
]

# of unlike lengths, so that rows are padded and leave the batch at unlike times
QUESTIONS = [question.text for question in questions("dev")][:48]
DEVICES: tuple[Device, ...] = ("cuda", "cpu")


def requests(*, temperature: float = 0.0, top_logprobs: int = 0) -> list[ChatRequest]:
    return [
        ChatRequest(
            messages=messages(text),
            max_tokens=120,
            temperature=temperature,
            top_p=1.0 if number % 2 else 0.9,
            seed=number,
            top_logprobs=top_logprobs,
        )
        for number, text in enumerate(QUESTIONS)
    ]


def answers(device: Device, asked: Sequence[ChatRequest]) -> list[ChatAnswer]:
    async def given() -> list[ChatAnswer]:
        model = InProcessModel(POLICY, device=device)
        found = await asyncio.gather(*(model.complete(request) for request in asked))
        await model.aclose()
        return list(found)

    return asyncio.run(given())


def allocations() -> int:
    """How often memory was taken on the card so far."""
    return int(torch.cuda.memory_stats().get("allocation.all.allocated", 0))


def texts(found: Sequence[ChatAnswer]) -> list[str]:
    return [answer.text for answer in found]


def test_a_card_that_is_there_is_used() -> None:
    assert compute_device(Settings()) == "cuda"
    assert next(load_weights(POLICY, "cuda").model.parameters()).is_cuda


def test_greedy_answers_and_their_probabilities_are_those_of_the_cpu() -> None:
    card, cpu = (answers(device, requests(top_logprobs=3)) for device in DEVICES)
    assert texts(card) == texts(cpu)
    assert len(set(texts(card))) > len(QUESTIONS) / 2
    for ours, theirs in zip(card, cpu, strict=True):
        assert [token.token for token in ours.tokens] == [token.token for token in theirs.tokens]
        assert [token.logprob for token in ours.tokens] == pytest.approx(
            [token.logprob for token in theirs.tokens], abs=1e-3
        )


def test_log_likelihoods_are_those_of_the_cpu() -> None:
    given = texts(answers("cpu", requests()))

    async def found(device: Device) -> list[float]:
        model = InProcessModel(POLICY, device=device)
        pairs = zip(QUESTIONS, given, strict=True)
        sums = [model.log_likelihood(messages(text), answer) for text, answer in pairs]
        values = await asyncio.gather(*sums)
        await model.aclose()
        return list(values)

    card, cpu = (asyncio.run(found(device)) for device in DEVICES)
    assert card == pytest.approx(cpu, abs=1e-3)


def test_one_seed_draws_the_same_again_and_another_does_not() -> None:
    asked = requests(temperature=1.0)
    once, again = (texts(answers("cuda", asked)) for _ in range(2))
    assert once == again
    others = [one.model_copy(update={"seed": one.seed + 1000}) for one in asked]
    assert texts(answers("cuda", others)) != once


def test_weights_stored_in_bfloat16_stay_so_where_the_card_has_it(tmp_path: Path) -> None:
    AutoModelForCausalLM.from_pretrained(POLICY, dtype=torch.bfloat16).save_pretrained(tmp_path)
    AutoTokenizer.from_pretrained(POLICY).save_pretrained(tmp_path)
    expected = torch.bfloat16 if has_bfloat16("cuda") else torch.float32
    assert load_weights(tmp_path, "cuda").model.dtype == expected
    assert load_weights(POLICY, "cuda").model.dtype == torch.float32


def test_a_full_card_ends_in_a_sentence_and_the_model_goes_on_after_it() -> None:
    async def asked() -> None:
        model = InProcessModel(POLICY, device="cuda")
        torch.cuda.empty_cache()
        torch.cuda.set_per_process_memory_fraction(0.0)
        try:
            with pytest.raises(Fatal, match=r"no memory left.*PREFSTREAM_DEVICE=cpu"):
                await asyncio.gather(*(model.complete(request) for request in requests() * 8))
        finally:
            torch.cuda.set_per_process_memory_fraction(1.0)
        assert (await model.complete(requests()[0])).text
        await model.aclose()

    asyncio.run(asked())


def test_a_training_and_what_measures_it_run_on_the_card(tmp_path: Path) -> None:
    policy = save_tiny_policy(tmp_path / "old")
    before = allocations()
    config = DpoConfig(learning_rate=5e-3, epochs=3, batch_size=8)
    trained = train_dpo(PAIR_ROWS, policy, config, tmp_path / "new", lambda _: None)
    assert allocations() > before
    assert math.isfinite(trained.metrics["last_loss"])
    assert trained.metrics["last_loss"] < trained.metrics["first_loss"]
    prompts = [Prompt(prompt_id=row.prompt_id, messages=row.prompt) for row in PAIR_ROWS[:8]]
    distances = kl_per_token(trained.path, policy, prompts, 16, seed=1)
    assert distances
    assert all(value and math.isfinite(value) and value > 0 for value in distances)


def test_a_reward_model_learns_and_scores_on_the_card(tmp_path: Path) -> None:
    policy = save_tiny_policy(tmp_path / "old")
    config = RewardConfig(learning_rate=5e-3, epochs=5, batch_size=8)
    trained = train_reward(PAIR_ROWS, policy, config, tmp_path / "reward", lambda _: None)
    model, row = RewardModel(trained.path), PAIR_ROWS[0]
    good, bad = model.scores([row.prompt + row.chosen, row.prompt + row.rejected])
    assert good is not None
    assert bad is not None
    assert good > bad
