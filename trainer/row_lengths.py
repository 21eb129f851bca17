"""Which rows fit into the context: what TRL would cut or leave out is known before it does."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Literal

from schemas.errors import ConfigError
from schemas.events import Preference
from schemas.records import Message
from trainer.checkpoint import Policy

Answer = Literal["chosen", "rejected"]
BOTH: tuple[Answer, ...] = ("chosen", "rejected")

# Enough for the tokenizer's threads, and little text at a time.
_CHUNK_ROWS = 1000


@dataclass(frozen=True, kw_only=True)
class Reading:
    """How an algorithm reads a row.

    ``room`` is what a prompt has to leave of the context for an answer. ``whole`` leaves out rows
    that would be cut. ``adds_ends`` is for trainers that put the tokenizer's own first and last
    token around what the chat template wrote, unless they are there.
    """

    answers: Sequence[Answer] = BOTH
    room: int = 1
    whole: bool = False
    adds_ends: bool = False


@dataclass(frozen=True, kw_only=True)
class Fitted:
    """The rows to train on, the tokens of the longest text of each, and what became of the rest."""

    rows: tuple[Preference, ...]
    lengths: tuple[int, ...]
    dropped: int
    truncated: int


def fit(dataset: Sequence[Preference], policy: Policy, reading: Reading) -> Fitted:
    """The rows whose prompt leaves room for an answer.

    Raises ``ConfigError`` where there are no rows at all, or none that fit.
    """
    if not dataset:
        raise ConfigError("no rows to train on; freeze a range that holds preferences")
    limit = policy.max_length
    measured = list(_measured(dataset, policy, reading))
    prompts_fit = [prompt <= limit - reading.room for prompt, _ in measured]
    if not any(prompts_fit):
        room = f" with {reading.room} left for an answer" if reading.room > 1 else ""
        raise ConfigError(f"every prompt alone fills max_length ({limit} tokens{room}); raise it")
    cut = [
        fits and longest > limit for fits, (_, longest) in zip(prompts_fit, measured, strict=True)
    ]
    kept = [
        (row, longest)
        for row, (_, longest), fits, is_cut in zip(dataset, measured, prompts_fit, cut, strict=True)
        if fits and not (reading.whole and is_cut)
    ]
    if not kept:
        raise ConfigError(f"every row is longer than max_length ({limit} tokens); raise it")
    return Fitted(
        rows=tuple(row for row, _ in kept),
        lengths=tuple(longest for _, longest in kept),
        dropped=len(dataset) - len(kept),
        truncated=0 if reading.whole else sum(cut),
    )


def _measured(
    dataset: Sequence[Preference], policy: Policy, reading: Reading
) -> Iterator[tuple[int, int]]:
    """Tokens of each row's prompt, and of the longest text that the algorithm reads."""
    rows = iter(dataset)
    while chunk := list(islice(rows, _CHUNK_ROWS)):
        columns = [policy.token_ids([row.prompt for row in chunk], for_answer=True)]
        for answer in reading.answers:
            texts: list[tuple[Message, ...]] = [row.prompt + getattr(row, answer) for row in chunk]
            columns.append(policy.token_ids(texts))
        for prompt_ids, *texts_ids in zip(*columns, strict=True):
            prompt, lengths = len(prompt_ids), [len(ids) for ids in texts_ids]
            if reading.adds_ends:
                prompt += _begins(prompt_ids, policy)
                lengths = [
                    len(ids) + _begins(ids, policy) + _ends(ids, policy) for ids in texts_ids
                ]
            yield prompt, max(lengths, default=prompt)


def _begins(ids: Sequence[int], policy: Policy) -> bool:
    """Whether the tokenizer's own first token is not there yet."""
    first = policy.tokenizer.bos_token_id
    return first is not None and ids[:1] != [first]


def _ends(ids: Sequence[int], policy: Policy) -> bool:
    """Whether the tokenizer's own last token is not there yet."""
    last = policy.tokenizer.eos_token_id
    return last is not None and ids[-1:] != [last]
