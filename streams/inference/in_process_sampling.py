"""The next token of each row of a batch, by temperature, top-p and the row's own noise."""

import hashlib
from collections.abc import Sequence

import torch

from streams.inference.device import Device


def noise(seed: int, prompt: Sequence[int], tokens: int) -> torch.Tensor:
    """One uniform number in [0, 1) for each token to come, fixed by seed and prompt alone.

    The prompt counts, so that one seed for a whole file does not draw alike for every prompt.
    Drawn on the CPU, whatever the model computes on: a card's generator draws other numbers.
    """
    name = f"{seed}:{','.join(map(str, prompt))}".encode()
    generator = torch.Generator()
    generator.manual_seed(int.from_bytes(hashlib.sha256(name).digest()[:8], "big", signed=True))
    return torch.rand(tokens, generator=generator, dtype=torch.float64)


class Sampling:
    """How each row of a batch is drawn from: temperature and top-p, one of each a row.

    Which rows draw is settled here, once a batch: to ask the card at every step would make the
    process wait for it.
    """

    def __init__(
        self, temperatures: Sequence[float], top_ps: Sequence[float], device: Device
    ) -> None:
        drawn = [row for row, temperature in enumerate(temperatures) if temperature > 0]
        limited = [place for place, row in enumerate(drawn) if top_ps[row] < 1]
        self._drawn = torch.tensor(drawn, dtype=torch.long, device=device)
        self._limited = torch.tensor(limited, dtype=torch.long, device=device)
        self._temperature = _column([temperatures[row] for row in drawn], device)
        self._top_p = _column([top_ps[drawn[place]] for place in limited], device)

    def pick(self, logits: torch.Tensor, uniform: torch.Tensor) -> torch.Tensor:
        """A token id for each row: (rows, vocabulary) logits, and a uniform number for every row.

        Temperature 0 takes the likeliest. Others invert the cumulative distribution at the row's
        uniform number, so what a row draws does not depend on the rows beside it.
        """
        picked = logits.argmax(dim=-1)
        if len(self._drawn):
            scaled = logits[self._drawn].double() / self._temperature
            probabilities = scaled.softmax(dim=-1)
            if len(self._limited):
                probabilities[self._limited] = _nucleus(probabilities[self._limited], self._top_p)
            cumulative = probabilities.cumsum(dim=-1)
            # relative to the last sum: the nucleus' mass, and rounding, are then no concern
            target = uniform[self._drawn].unsqueeze(1) * cumulative[:, -1:]
            found = torch.searchsorted(cumulative, target, right=True).squeeze(1)
            picked[self._drawn] = found.clamp(max=logits.shape[1] - 1)
        return picked


def _nucleus(probabilities: torch.Tensor, top_p: torch.Tensor) -> torch.Tensor:
    """Zero all but the fewest likeliest tokens whose mass reaches top_p (Holtzman et al. 2020)."""
    ranked, order = probabilities.sort(dim=-1, descending=True)
    before = ranked.cumsum(dim=-1) - ranked
    kept = ranked.masked_fill(before >= top_p, 0.0)
    return torch.zeros_like(kept).scatter(1, order, kept)


def _column(values: Sequence[float], device: Device) -> torch.Tensor:
    return torch.tensor(values, dtype=torch.float64, device=device).unsqueeze(1)
