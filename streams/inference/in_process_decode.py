"""The decode loop: a batch of unlike requests, one token of each per step."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import torch

from schemas.errors import Poison
from streams.inference.chat import ChatRequest
from streams.inference.in_process_cache import new_cache
from streams.inference.in_process_sampling import noise, pick
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

    Raises ``Poison`` where the prompt leaves nothing, or the chat template refuses the messages.
    """
    try:
        prompt = weights.prompt(request.messages)
    except Exception as error:  # a template raises what it likes, such as for an unknown role
        raise Poison(f"the model's chat template refuses the messages: {error}") from error
    room = weights.context_tokens - len(prompt)
    if not prompt or room < 1:
        raise Poison(
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


def padded(prompts: Sequence[Sequence[int]]) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Token ids aligned right, their attention mask, and positions that count real tokens only."""
    width = max(len(prompt) for prompt in prompts)
    ids = torch.tensor([[0] * (width - len(prompt)) + list(prompt) for prompt in prompts])
    lengths = torch.tensor([len(prompt) for prompt in prompts])
    mask = (torch.arange(width) >= (width - lengths).unsqueeze(1)).long()
    return ids, mask, (mask.cumsum(dim=1) - 1).clamp(min=0)


class _Batch:
    """The rows still in the cache, and the tensors with one entry for each of them."""

    def __init__(self, weights: Weights, rows: Sequence[Row]) -> None:
        self._model = weights.model
        self._rows = list(rows)
        self._cache = new_cache(weights.model.config.num_hidden_layers)
        self._ids, self._mask, self._positions = padded([row.prompt for row in rows])
        self._temperature = torch.tensor([row.request.temperature for row in rows]).double()
        self._top_p = torch.tensor([row.request.top_p for row in rows]).double()
        longest = max(row.budget_tokens for row in rows)
        self._noise = torch.zeros(len(rows), longest, dtype=torch.float64)
        for index, row in enumerate(rows):
            if row.request.temperature > 0:
                drawn = noise(row.request.seed, row.prompt, row.budget_tokens)
                self._noise[index, : row.budget_tokens] = drawn
        self._steps = 0

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
        picked = pick(logits, self._temperature, self._top_p, self._noise[:, self._steps])
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
            kept = torch.tensor(live)
            self._rows = [self._rows[index] for index in live]
            self._cache.batch_select_indices(kept)
            self._ids, self._mask = self._ids[kept], self._mask[kept]
            self._positions = self._positions[kept]
            self._temperature, self._top_p = self._temperature[kept], self._top_p[kept]
            self._noise = self._noise[kept]
        return True

    def _note_logprobs(self, logits: torch.Tensor, picked: torch.Tensor) -> None:
        """Raw log-probabilities, of the rows that ask for them: before temperature and top-p."""
        asking = [
            index
            for index, row in enumerate(self._rows)
            if row.request.top_logprobs and not row.finish_reason
        ]
        if not asking:
            return
        raw = logits[asking].log_softmax(dim=-1)
        chosen = raw.gather(1, picked[asking].unsqueeze(1)).squeeze(1).tolist()
        most = max(self._rows[index].request.top_logprobs for index in asking)
        values, ids = raw.topk(min(most, raw.shape[1]), dim=-1)
        for index, logprob, top, tokens in zip(
            asking, chosen, values.tolist(), ids.tolist(), strict=True
        ):
            row = self._rows[index]
            count = row.request.top_logprobs
            row.logprobs.append(logprob)
            row.alternatives.append(list(zip(tokens[:count], top[:count], strict=True)))


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
