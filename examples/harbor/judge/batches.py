"""Exchanges as training batches: tokens, and what each token weighs in the loss."""

import random
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Final

import torch
from transformers import PreTrainedTokenizerBase

from examples.harbor.judge.exchanges import Exchange
from examples.harbor.judge.model import rendered
from schemas.records import Order
from streams.judge.prompt import render_prompt
from streams.judge.rubric import Rubric
from streams.judge.settings import JudgeSettings

# One token of some twenty decides; weighing it more stops it from being learned last.
_VERDICT_WEIGHT: Final = 4.0
# The explanation repeats the query's filters, so predicting prompts teaches to copy early on.
_PROMPT_WEIGHT: Final = 0.1
# So many batches are sorted by length together: little padding, and still a mixed order.
_POOL_BATCHES: Final = 8


@dataclass(frozen=True, kw_only=True)
class Encoded:
    """Token ids of a judge prompt and of what a perfect judge writes after it."""

    prompt: tuple[int, ...]
    opinion: tuple[int, ...]


@dataclass(frozen=True, kw_only=True)
class Batch:
    """Token ids (rows, length), padded on the right, and each token's weight as a target."""

    tokens: torch.Tensor
    weights: torch.Tensor


def encode(
    tokenizer: PreTrainedTokenizerBase, rubric: Rubric, exchanges: Sequence[Exchange]
) -> list[Encoded]:
    """The exchanges in the very prompts of the judge stage, A shown first."""
    prompts = [
        rendered(
            tokenizer,
            render_prompt(
                each.comparison,
                rubric,
                Order.AB,
                max_candidate_characters=JudgeSettings().max_candidate_characters,
            ),
        )
        for each in exchanges
    ]
    prompt_ids = tokenizer(prompts, add_special_tokens=False)["input_ids"]
    opinion_ids = tokenizer([each.opinion for each in exchanges], add_special_tokens=False)
    return [
        Encoded(prompt=tuple(prompt), opinion=(*opinion, tokenizer.eos_token_id))
        for prompt, opinion in zip(prompt_ids, opinion_ids["input_ids"], strict=True)
    ]


def batches(
    tokenizer: PreTrainedTokenizerBase,
    rubric: Rubric,
    exchanges: Iterable[Exchange],
    *,
    rows: int,
    seed: int,
) -> Iterator[Batch]:
    """Batches of ``rows`` exchanges for as long as there are exchanges."""
    stream = iter(exchanges)
    shuffle = random.Random(seed).shuffle
    while pool := list(islice(stream, rows * _POOL_BATCHES)):
        encoded = encode(tokenizer, rubric, pool)
        encoded.sort(key=lambda each: len(each.prompt) + len(each.opinion))
        parts = [encoded[start : start + rows] for start in range(0, len(encoded), rows)]
        shuffle(parts)
        yield from (_batch(part, tokenizer.pad_token_id) for part in parts)


def _batch(part: Sequence[Encoded], padding: int) -> Batch:
    longest = max(len(each.prompt) + len(each.opinion) for each in part)
    tokens = torch.full((len(part), longest), padding)
    weights = torch.zeros(len(part), longest)
    for row, each in enumerate(part):
        start, end = len(each.prompt), len(each.prompt) + len(each.opinion)
        tokens[row, :end] = torch.tensor(each.prompt + each.opinion)
        weights[row, :start] = _PROMPT_WEIGHT
        weights[row, start:end] = 1.0
        weights[row, end - 2] = _VERDICT_WEIGHT  # the last token but the end
    return Batch(tokens=tokens, weights=weights)
