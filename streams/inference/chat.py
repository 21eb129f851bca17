"""What a model is to prefstream: messages in, text with its tokens' log-probabilities out."""

from collections.abc import Mapping, Sequence
from typing import Protocol

from pydantic import Field

from schemas.records import Message, Record


class ChatRequest(Record):
    """One generation. ``top_logprobs`` > 0 asks for the alternatives at every generated token."""

    messages: tuple[Message, ...] = Field(min_length=1)
    max_tokens: int = Field(ge=1)
    temperature: float = Field(default=0.0, ge=0)
    top_p: float = Field(default=1.0, gt=0, le=1)
    seed: int = 0
    top_logprobs: int = Field(default=0, ge=0, le=20)
    stop: tuple[str, ...] = ()


class TokenLogprob(Record):
    """One generated token: its text, its natural-log probability, and the alternatives' by text.

    Probabilities are raw: before temperature and before any mask.
    """

    token: str
    logprob: float
    top: Mapping[str, float] = Field(default_factory=dict)


class ChatAnswer(Record):
    """What came back: ``tokens`` is empty where the server gives no log-probabilities."""

    text: str
    tokens: tuple[TokenLogprob, ...] = ()
    model: str
    fingerprint: str | None = None
    finish_reason: str = "stop"
    input_tokens: int | None = None
    output_tokens: int | None = None
    latency_ms: float | None = None
    cost_usd: float | None = None


class ChatModel(Protocol):
    """A model behind any backend: the OpenAI protocol, or transformers in this process.

    ``complete`` raises ``Poison`` where the request itself is refused (``TooLong``, say),
    ``Transient`` where it may be tried again, ``DependencyDown`` where no request can be served
    now, and ``Fatal`` where the model cannot be had at all (missing folder).
    """

    model: str

    async def complete(self, request: ChatRequest) -> ChatAnswer: ...

    async def aclose(self) -> None: ...


def as_messages(pairs: Sequence[tuple[str, str]]) -> tuple[Message, ...]:
    """Messages from (role, content) pairs."""
    return tuple(Message(role=role, content=content) for role, content in pairs)
