"""The next token of each row of a batch, by temperature, top-p and the row's own noise."""

import hashlib
from collections.abc import Sequence

import torch


def noise(seed: int, prompt: Sequence[int], tokens: int) -> torch.Tensor:
    """One uniform number in [0, 1) for each token to come, fixed by seed and prompt alone.

    The prompt counts, so that one seed for a whole file does not draw alike for every prompt.
    """
    name = f"{seed}:{','.join(map(str, prompt))}".encode()
    generator = torch.Generator()
    generator.manual_seed(int.from_bytes(hashlib.sha256(name).digest()[:8], "big", signed=True))
    return torch.rand(tokens, generator=generator, dtype=torch.float64)


def pick(
    logits: torch.Tensor, temperature: torch.Tensor, top_p: torch.Tensor, uniform: torch.Tensor
) -> torch.Tensor:
    """A token id for each row: (rows, vocabulary) logits, and one number each for every row.

    Temperature 0 takes the likeliest. Others invert the cumulative distribution at the row's
    uniform number, so what a row draws does not depend on the rows beside it.
    """
    picked = logits.argmax(dim=-1)
    drawn = torch.nonzero(temperature > 0).squeeze(1)
    if len(drawn):
        scaled = logits[drawn].double() / temperature[drawn].unsqueeze(1)
        probabilities = _nucleus(scaled.softmax(dim=-1), top_p[drawn])
        cumulative = probabilities.cumsum(dim=-1)
        # relative to the last sum: the nucleus' mass, and rounding, are then no concern
        target = uniform[drawn].unsqueeze(1) * cumulative[:, -1:]
        found = torch.searchsorted(cumulative, target, right=True).squeeze(1)
        picked[drawn] = found.clamp(max=logits.shape[1] - 1)
    return picked


def _nucleus(probabilities: torch.Tensor, top_p: torch.Tensor) -> torch.Tensor:
    """Zero all but the fewest likeliest tokens whose mass reaches top_p (Holtzman et al. 2020)."""
    limited = torch.nonzero(top_p < 1).squeeze(1)
    if not len(limited):
        return probabilities
    ranked, order = probabilities[limited].sort(dim=-1, descending=True)
    before = ranked.cumsum(dim=-1) - ranked
    ranked[before >= top_p[limited].unsqueeze(1)] = 0.0
    probabilities = probabilities.clone()
    probabilities[limited] = torch.zeros_like(ranked).scatter(1, order, ranked)
    return probabilities
