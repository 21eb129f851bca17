"""What the decode loop generated, as the answer that the caller gets."""

import math
from collections.abc import Sequence

from streams.inference.chat import ChatAnswer, TokenLogprob
from streams.inference.in_process_decode import Row
from streams.inference.in_process_weights import Weights


def answer(row: Row, weights: Weights, *, model: str, latency_ms: float) -> ChatAnswer:
    """A finished row's text and tokens: no end token, nothing from a stop string on."""
    written = row.ids[:-1] if row.ids[-1] in weights.ends else row.ids
    whole = weights.text(written)
    text = before_stop(whole, row.request.stop)
    if len(text) < len(whole):
        written = _covering(written, text, weights)
    tokens: tuple[TokenLogprob, ...] = ()
    if row.request.top_logprobs:
        tokens = tuple(
            TokenLogprob(
                token=weights.token_text(token), logprob=logprob, top=_by_text(top, weights)
            )
            for token, logprob, top in zip(written, row.logprobs, row.alternatives, strict=False)
        )
    return ChatAnswer(
        text=text,
        tokens=tokens,
        model=model,
        fingerprint=weights.fingerprint,
        finish_reason=row.finish_reason,
        input_tokens=len(row.prompt),
        output_tokens=len(row.ids),
        latency_ms=latency_ms,
    )


def before_stop(text: str, stops: Sequence[str]) -> str:
    """The text up to the first stop string in it, whichever that is."""
    starts = [text.find(stop) for stop in stops if stop]
    return text[: min((start for start in starts if start >= 0), default=len(text))]


def _covering(ids: list[int], text: str, weights: Weights) -> list[int]:
    """The fewest leading ids whose text holds all of ``text``."""
    for count in range(len(ids)):
        if weights.text(ids[:count]).startswith(text):
            return ids[:count]
    return ids


def _by_text(top: Sequence[tuple[int, float]], weights: Weights) -> dict[str, float]:
    """Log-probability by text; of unlike tokens with one text, that of either of them."""
    merged: dict[str, float] = {}
    for token, logprob in top:
        text = weights.token_text(token)
        if text in merged:
            high, low = max(merged[text], logprob), min(merged[text], logprob)
            merged[text] = high + math.log1p(math.exp(low - high))
        else:
            merged[text] = logprob
    return merged
