"""The in-process backend: a batch gives each request what it gets alone."""

import asyncio
import math
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import torch

from schemas.errors import Fatal, Poison, TooLong
from streams.inference.chat import ChatRequest, as_messages
from streams.inference.in_process import InProcessModel
from streams.inference.in_process_answer import before_stop
from streams.inference.in_process_weights import compute_type
from tests.unit.inference_fixtures import CONTEXT_TOKENS, tiny_model

__all__ = ["tiny_model"]

PROMPTS = ("hi", "how many refunds?", "a much longer question about the region EMEA in 2023")


@pytest.fixture
async def model(tiny_model: Path) -> AsyncIterator[InProcessModel]:
    opened = InProcessModel(tiny_model, threads=1)
    yield opened
    await opened.aclose()


def request(prompt: str, **options: object) -> ChatRequest:
    values = {"messages": as_messages([("user", prompt)]), "max_tokens": 24, **options}
    return ChatRequest.model_validate(values)


async def test_a_batch_gives_each_request_what_it_gets_alone(model: InProcessModel) -> None:
    requests = [
        request(
            prompt,
            temperature=temperature,
            top_p=top_p,
            seed=seed,
            top_logprobs=3,
            max_tokens=8 + 7 * seed,
        )
        for prompt in PROMPTS
        for temperature, top_p, seed in ((0.0, 1.0, 0), (0.7, 1.0, 1), (1.0, 0.8, 2))
    ]
    alone = [await model.complete(one) for one in requests]
    together = await asyncio.gather(*map(model.complete, requests))
    for single, batched in zip(alone, together, strict=True):
        assert batched.text == single.text
        assert batched.finish_reason == single.finish_reason
        assert [t.token for t in batched.tokens] == [t.token for t in single.tokens]
        for one, other in zip(single.tokens, batched.tokens, strict=True):
            assert other.logprob == pytest.approx(one.logprob, abs=1e-3)
            assert dict(other.top) == pytest.approx(dict(one.top), abs=1e-3)


async def test_greedy_is_what_the_model_itself_generates(
    model: InProcessModel, tiny_model: Path
) -> None:
    from transformers import AutoModelForCausalLM, AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(tiny_model)
    reference: Any = AutoModelForCausalLM.from_pretrained(tiny_model)
    text = tokenizer.apply_chat_template(
        [{"role": "user", "content": PROMPTS[1]}], add_generation_prompt=True, tokenize=False
    )
    inputs = tokenizer(text, return_tensors="pt", add_special_tokens=False)
    output = reference.generate(**inputs, max_new_tokens=24, do_sample=False)
    expected = tokenizer.decode(output[0, inputs["input_ids"].shape[1] :], skip_special_tokens=True)
    answer = await model.complete(request(PROMPTS[1]))
    assert answer.text == expected
    assert answer.input_tokens == inputs["input_ids"].shape[1]


async def test_the_seed_and_the_prompt_decide_what_is_drawn(model: InProcessModel) -> None:
    first, again, other = await asyncio.gather(
        *(model.complete(request("hi", temperature=1.0, seed=seed)) for seed in (5, 5, 6))
    )
    assert first.text == again.text
    assert first.text != other.text


async def test_probabilities_are_raw_and_only_there_when_asked(model: InProcessModel) -> None:
    cold, warm = await asyncio.gather(
        model.complete(request("hi", max_tokens=1, top_logprobs=20)),
        model.complete(request("hi", max_tokens=1, top_logprobs=20, temperature=0.3, seed=3)),
    )
    assert cold.tokens[0].top == pytest.approx(warm.tokens[0].top, abs=1e-4)
    assert sum(map(math.exp, cold.tokens[0].top.values())) <= 1 + 1e-6
    # the likeliest token, whose text other tokens may share (byte fragments do)
    assert cold.tokens[0].logprob <= max(cold.tokens[0].top.values()) + 1e-5
    assert (await model.complete(request("hi"))).tokens == ()


async def test_a_stop_string_ends_the_answer_before_it(model: InProcessModel) -> None:
    whole = await model.complete(request(PROMPTS[1], top_logprobs=1))
    assert len(whole.text) > 8
    stop = whole.text[4:6]
    cut = await model.complete(request(PROMPTS[1], stop=(stop, "never there"), top_logprobs=1))
    assert cut.text == before_stop(whole.text, [stop])
    assert cut.finish_reason == "stop"
    assert (cut.output_tokens or 0) < (whole.output_tokens or 0)
    assert "".join(token.token for token in cut.tokens).startswith(cut.text)


async def test_max_tokens_ends_with_length(model: InProcessModel) -> None:
    answer = await model.complete(request("hi", max_tokens=3))
    assert (answer.finish_reason, answer.output_tokens) == ("length", 3)


async def test_the_context_limits_the_answer_and_a_full_prompt_is_poison(
    model: InProcessModel,
) -> None:
    near = "x" * (CONTEXT_TOKENS - 8)
    answer = await model.complete(request(near, max_tokens=100))
    assert (answer.input_tokens or 0) + (answer.output_tokens or 0) <= CONTEXT_TOKENS
    good, bad = await asyncio.gather(
        model.complete(request("hi")),
        model.complete(request("x" * CONTEXT_TOKENS)),
        return_exceptions=True,
    )
    assert not isinstance(good, BaseException)
    assert isinstance(bad, TooLong)
    assert "shorten the prompt" in str(bad)


async def test_messages_that_the_template_refuses_are_poison(model: InProcessModel) -> None:
    messages = as_messages([("robot", "hi")])
    with pytest.raises(Poison, match="unknown role robot"):
        await model.complete(ChatRequest(messages=messages, max_tokens=4))


async def test_log_likelihood_is_the_sum_over_the_generated_tokens(model: InProcessModel) -> None:
    answers = await asyncio.gather(
        *(model.complete(request(prompt, top_logprobs=1)) for prompt in PROMPTS)
    )
    messages = [as_messages([("user", prompt)]) for prompt in PROMPTS]
    with_end = await asyncio.gather(
        *(model.log_likelihood(m, a.text) for m, a in zip(messages, answers, strict=True))
    )
    alone = [await model.log_likelihood(m, a.text) for m, a in zip(messages, answers, strict=True)]
    assert with_end == pytest.approx(alone, abs=1e-3)
    for value, answer in zip(with_end, answers, strict=True):
        assert value < sum(token.logprob for token in answer.tokens)
    shorter = await model.log_likelihood(messages[0], "")
    assert shorter < 0


async def test_a_cancelled_caller_leaves_the_others_their_answers(model: InProcessModel) -> None:
    left = asyncio.create_task(model.complete(request("hi", max_tokens=200)))
    stays = asyncio.create_task(model.complete(request(PROMPTS[1])))
    await asyncio.sleep(0)
    left.cancel()
    assert (await stays).text == (await model.complete(request(PROMPTS[1]))).text
    assert left.cancelled() or isinstance(left.exception(), asyncio.CancelledError)


async def test_a_closed_model_says_so(tiny_model: Path) -> None:
    model = InProcessModel(tiny_model, threads=1)
    await model.aclose()
    await model.aclose()
    with pytest.raises(Fatal, match="closed"):
        await model.complete(request("hi"))


def test_a_missing_or_broken_folder_is_fatal_with_the_remedy(
    tiny_model: Path, tmp_path: Path
) -> None:
    with pytest.raises(Fatal, match="no such model folder"):
        InProcessModel(tmp_path / "nowhere")
    with pytest.raises(Fatal, match="holds no weights"):
        InProcessModel(tmp_path)
    (tmp_path / "model.safetensors").write_bytes(b"not weights")
    with pytest.raises(Fatal, match="cannot be loaded"):
        InProcessModel(tmp_path)


def test_the_fingerprint_follows_the_weights_not_the_path(tiny_model: Path, tmp_path: Path) -> None:
    from shutil import copytree

    from streams.inference.identity import model_identity

    copy = copytree(tiny_model, tmp_path / "copy")
    assert model_identity(f"path:{copy}") == model_identity(f"path:{tiny_model}")
    weights = copy / "model.safetensors"
    changed = bytearray(weights.read_bytes())
    changed[-1] ^= 1
    weights.write_bytes(changed)
    assert model_identity(f"path:{copy}") != model_identity(f"path:{tiny_model}")
    assert model_identity("openai:judge-large") == model_identity("judge-large") == "judge-large"


@pytest.mark.parametrize(
    ("stored", "bfloat16", "expected"),
    [
        (torch.float32, True, torch.float32),
        (torch.float16, True, torch.float32),
        (torch.bfloat16, False, torch.float32),
        (torch.bfloat16, True, torch.bfloat16),
    ],
)
def test_bfloat16_only_where_stored_so_and_the_device_has_it(
    stored: torch.dtype, bfloat16: bool, expected: torch.dtype
) -> None:
    assert compute_type(stored, bfloat16=bfloat16) == expected
