"""The decode loop: a batch of unlike requests, one token of each per step."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import torch

from schemas.errors import Poison, TooLong
from streams.inference.chat import ChatRequest
from streams.inference.device import Device
from streams.inference.in_process_cache import new_cache
from streams.inference.in_process_sampling import Sampling, noise
from streams.inference.in_process_weights import Weights

# Dropping finished rows copies the cache of the others, which costs about 1.5 steps: it pays
# within a dozen steps once an eighth of the rows has finished.
_FINISHED_SHARE = 1 / 8


@dataclass(kw_only=True)
class Row:
    """One request on its way through the loop."""

    request: ChatRequest
    prompt: Sequence[int]
    budget_tokens: int
    unwanted: Callable[[], bool]
    """Whether nobody waits for the answer any more."""
    ids: list[int] = field(default_factory=list)
    logprobs: list[float] = field(default_factory=list)
    alternatives: list[list[tuple[int, float]]] = field(default_factory=list)
    finish_reason: str = ""


def new_row(weights: Weights, request: ChatRequest, unwanted: Callable[[], bool]) -> Row:
    """The request, tokenised; the answer gets what its prompt leaves of the context.

    Raises ``TooLong`` where the prompt leaves nothing, ``Poison`` where the chat template refuses
    the messages.
    """
    try:
        prompt = weights.prompt(request.messages)
    except Exception as error:  # a template raises what it likes, such as for an unknown role
        raise Poison(f"the model's chat template refuses the messages: {error}") from error
    room = weights.context_tokens - len(prompt)
    if not prompt or room < 1:
        raise TooLong(
            f"the prompt is {len(prompt)} tokens long and the model sees {weights.context_tokens}; "
            "shorten the prompt, or use a model with a longer context"
        )
    return Row(
        request=request,
        prompt=prompt,
        budget_tokens=min(request.max_tokens, room),
        unwanted=unwanted,
    )


@torch.inference_mode()
def decode(weights: Weights, rows: Sequence[Row], on_finished: Callable[[Row], None]) -> None:
    """Generate every row's answer; ``on_finished`` gets each as soon as it is complete."""
    batch = _Batch(weights, rows)
    while True:
        batch.step()
        for row in batch.finish(weights):
            on_finished(row)
        if not batch.compact():
            return


def padded(
    prompts: Sequence[Sequence[int]], device: Device
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Token ids aligned right, their attention mask, and positions that count real tokens only."""
    width = max(len(prompt) for prompt in prompts)
    rows = [[0] * (width - len(prompt)) + list(prompt) for prompt in prompts]
    ids = torch.tensor(rows, device=device)
    mask = last_columns([len(prompt) for prompt in prompts], width, device).long()
    return ids, mask, (mask.cumsum(dim=1) - 1).clamp(min=0)


def last_columns(counts: Sequence[int], width: int, device: Device) -> torch.Tensor:
    """(rows, width) of booleans: in each row the last ``count`` columns."""
    starts = width - torch.tensor(counts, device=device)
    return torch.arange(width, device=device) >= starts.unsqueeze(1)


class _Batch:
    """The rows still in the cache, and the tensors with one entry for each of them."""

    def __init__(self, weights: Weights, rows: Sequence[Row]) -> None:
        self._model, self._device = weights.model, weights.device
        self._cache = new_cache(weights.model.config.num_hidden_layers)
        self._ids, self._mask, self._positions = padded([row.prompt for row in rows], self._device)
        self._noise = _noise(rows).to(self._device)
        self._steps = 0
        self._hold(rows)

    def step(self) -> None:
        """Add one token to every unfinished row."""
        logits: torch.Tensor = (
            self._model(
                input_ids=self._ids,
                attention_mask=self._mask,
                position_ids=self._positions,
                past_key_values=self._cache,
                use_cache=True,
                logits_to_keep=1,
            )
            .logits[:, -1]
            .float()
        )
        picked = self._sampling.pick(logits, self._noise[:, self._steps])
        self._note_logprobs(logits, picked)
        for row, token in zip(self._rows, picked.tolist(), strict=True):
            if not row.finish_reason:
                row.ids.append(token)
        self._steps += 1
        self._ids = picked.unsqueeze(1)
        self._mask = torch.cat([self._mask, torch.ones_like(self._ids)], dim=1)
        self._positions = self._positions[:, -1:] + 1

    def finish(self, weights: Weights) -> list[Row]:
        """The rows that their last token completed."""
        finished = []
        for row in self._rows:
            if not row.finish_reason:
                row.finish_reason = _finish_reason(row, weights)
                if row.finish_reason:
                    finished.append(row)
        return finished

    def compact(self) -> bool:
        """Drop finished rows where that pays; False once none is left."""
        live = [index for index, row in enumerate(self._rows) if not row.finish_reason]
        if not live:
            return False
        if len(live) <= len(self._rows) * (1 - _FINISHED_SHARE):
            kept = torch.tensor(live, device=self._device)
            self._cache.batch_select_indices(kept)
            self._ids, self._mask = self._ids[kept], self._mask[kept]
            self._positions = self._positions[kept]
            self._noise = self._noise[kept]
            self._hold([self._rows[index] for index in live])
        return True

    def _hold(self, rows: Sequence[Row]) -> None:
        """These are the batch's rows from now on."""
        self._rows = list(rows)
        requests = [row.request for row in rows]
        self._sampling = Sampling(
            [request.temperature for request in requests],
            [request.top_p for request in requests],
            self._device,
        )
        asking = [index for index, request in enumerate(requests) if request.top_logprobs]
        self._asking = [self._rows[index] for index in asking]
        self._asking_at = torch.tensor(asking, dtype=torch.long, device=self._device)

    def _note_logprobs(self, logits: torch.Tensor, picked: torch.Tensor) -> None:
        """Raw log-probabilities, of the rows that ask for them: before temperature and top-p."""
        if not self._asking:
            return
        raw = logits[self._asking_at].log_softmax(dim=-1)
        chosen = raw.gather(1, picked[self._asking_at].unsqueeze(1))
        most = min(max(row.request.top_logprobs for row in self._asking), raw.shape[1])
        values, ids = raw.topk(most, dim=-1)
        # one copy from the card for all three: float64 holds ids and float32 exactly
        noted = torch.cat([chosen.double(), values.double(), ids.double()], dim=1).tolist()
        for row, (logprob, *top) in zip(self._asking, noted, strict=True):
            if not row.finish_reason:
                best = zip(map(int, top[most:]), top[:most], strict=True)
                row.logprobs.append(logprob)
                row.alternatives.append(list(best)[: row.request.top_logprobs])


def _noise(rows: Sequence[Row]) -> torch.Tensor:
    """(rows, tokens) of uniform numbers, zero where a row needs none."""
    drawn = torch.zeros(len(rows), max(row.budget_tokens for row in rows), dtype=torch.float64)
    for index, row in enumerate(rows):
        if row.request.temperature > 0:
            numbers = noise(row.request.seed, row.prompt, row.budget_tokens)
            drawn[index, : row.budget_tokens] = numbers
    return drawn


def _finish_reason(row: Row, weights: Weights) -> str:
    if row.ids[-1] in weights.ends:
        return "stop"
    if row.request.stop and _stopped(row, weights):
        return "stop"
    if len(row.ids) >= row.budget_tokens:
        return "length"
    return "cancelled" if row.unwanted() else ""


def _stopped(row: Row, weights: Weights) -> bool:
    # A character is at most 4 byte-level tokens, so a stop string that the last token completed
    # lies within this tail; decoding all of the answer at every step would cost its square.
    tail = 4 * (max(len(stop) for stop in row.request.stop) + 1)
    text = weights.text(row.ids[-tail:])
    return any(stop in text for stop in row.request.stop)
