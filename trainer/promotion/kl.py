"""How far a policy has gone from the reference: KL divergence on its own samples."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from trainer.checkpoint import Policy, load_policy
from trainer.prompts import Prompt
from trainer.quiet import quiet

if TYPE_CHECKING:
    import torch

# Room for prompts and answers of a few thousand tokens and vocabularies of 150,000 in 2 GB.
_BATCH = 4


def kl_per_token(
    candidate: Path, reference: Path, prompts: Sequence[Prompt], max_tokens: int, seed: int
) -> list[float | None]:
    """KL(candidate || reference) in nats, the mean over the tokens of each sampled answer; None
    where a prompt leaves no room for one.

    Answers are drawn from the candidate at temperature 1; at every position of them the sum over
    the whole vocabulary is exact (the Rao-Blackwellised estimate of Amini et al. 2025, arXiv
    2504.10637), so it is never below 0 and needs few answers. Empty where the two do not share a
    vocabulary, as then nothing can be compared. Raises ``ConfigError`` for a folder that is no
    policy.
    """
    import torch

    with quiet():
        policy, other = load_policy(candidate), load_policy(reference)
    if policy.tokenizer.get_vocab() != other.tokenizer.get_vocab():
        return []
    policy.to_device()
    other.to_device()
    torch.manual_seed(seed)
    context = min(policy.max_length, other.max_length)
    rooms = ((ids, min(max_tokens, context - len(ids))) for ids in _token_ids(policy, prompts))
    return [_of_answer(policy, other, ids, room) if room > 0 else None for ids, room in rooms]


def _token_ids(policy: Policy, prompts: Sequence[Prompt]) -> Iterator[list[int]]:
    for start in range(0, len(prompts), _BATCH):
        chats = [prompt.messages for prompt in prompts[start : start + _BATCH]]
        yield from policy.token_ids(chats, for_answer=True)


def _of_answer(policy: Policy, other: Policy, ids: list[int], max_tokens: int) -> float:
    """The mean over one sampled answer, which has its end token at least."""
    import torch

    prompt = torch.tensor([ids], device=policy.model.device)
    with torch.inference_mode():
        whole = policy.model.generate(  # type: ignore[operator]  # transformers' mixin is untyped
            prompt,
            attention_mask=torch.ones_like(prompt),
            do_sample=True,
            temperature=1.0,
            top_k=0,
            top_p=1.0,
            max_new_tokens=max_tokens,
            pad_token_id=policy.tokenizer.pad_token_id or policy.tokenizer.eos_token_id,
        )
        ours, theirs = (_log_probabilities(one, whole, len(ids)) for one in (policy, other))
        return float((ours.exp() * (ours - theirs)).sum(dim=-1).mean())


def _log_probabilities(policy: Policy, whole: "torch.Tensor", prompt: int) -> "torch.Tensor":
    """Of every token of the vocabulary at each position of the answer."""
    logits: torch.Tensor = policy.model(whole).logits[0, prompt - 1 : -1]
    return logits.float().log_softmax(dim=-1)
