"""How likely a model finds given answers."""

from collections.abc import Sequence
from typing import Final

import torch

from schemas.errors import TooLong
from schemas.records import Message
from streams.inference.in_process_decode import last_columns, padded
from streams.inference.in_process_weights import Weights

# Logits of a chunk: rows x answer tokens x vocabulary in float32.
_LOGITS_BYTES: Final = 256 * 1024 * 1024


def answer_ids(
    weights: Weights, messages: Sequence[Message], answer: str
) -> tuple[list[int], list[int]]:
    """Token ids of the prompt, and of the answer with the token that ends it.

    Raises ``TooLong`` where both together are longer than the model's context.
    """
    prompt = weights.prompt(messages)
    written = weights.encode(answer)
    end = weights.tokenizer.eos_token_id
    if isinstance(end, int):
        written.append(end)
    if not prompt or not written or len(prompt) + len(written) > weights.context_tokens:
        raise TooLong(
            f"prompt and answer are {len(prompt)} + {len(written)} tokens long and the model sees "
            f"{weights.context_tokens}; shorten them, or use a model with a longer context"
        )
    return prompt, written


@torch.inference_mode()
def log_likelihoods(
    weights: Weights, pairs: Sequence[tuple[Sequence[int], Sequence[int]]]
) -> list[float]:
    """Natural-log probability of each answer given its prompt: the sum over its tokens."""
    longest = max(len(answer) for _, answer in pairs)
    row_bytes = 4 * (longest + 1) * int(weights.model.config.vocab_size)
    chunk = max(1, _LOGITS_BYTES // row_bytes)
    sums: list[float] = []
    for start in range(0, len(pairs), chunk):
        sums += _chunk(weights, pairs[start : start + chunk])
    return sums


def _chunk(weights: Weights, pairs: Sequence[tuple[Sequence[int], Sequence[int]]]) -> list[float]:
    device, lengths = weights.device, [len(answer) for _, answer in pairs]
    ids, mask, positions = padded([[*prompt, *answer] for prompt, answer in pairs], device)
    longest = max(lengths)
    # aligned right, so every answer lies in the last columns; the logits before each token
    # are those of the column to its left
    logits = (
        weights.model(
            input_ids=ids,
            attention_mask=mask,
            position_ids=positions,
            use_cache=False,
            logits_to_keep=longest + 1,
        )
        .logits[:, :-1]
        .float()
    )
    targets = ids[:, -longest:].unsqueeze(2)
    logprobs = logits.log_softmax(dim=-1).gather(2, targets).squeeze(2)
    sums = (logprobs.double() * last_columns(lengths, longest, device)).sum(dim=1)
    return [float(value) for value in sums.tolist()]
