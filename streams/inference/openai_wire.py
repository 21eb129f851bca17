"""The parts of the OpenAI chat protocol that prefstream speaks, from either side.

https://platform.openai.com/docs/api-reference/chat
"""

from collections.abc import Sequence
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from schemas.records import Message
from streams.inference.chat import ChatAnswer, ChatRequest, TokenLogprob
from streams.inference.settings import Takes


class WireModel(BaseModel):
    """A protocol object; fields that we do not use are ignored, as the protocol grows."""

    model_config = ConfigDict(frozen=True, extra="ignore")


class ChatCompletionRequest(WireModel):
    """Body of POST /v1/chat/completions; defaults are the protocol's."""

    model: str
    messages: tuple[Message, ...] = Field(min_length=1)
    max_tokens: int | None = Field(default=None, ge=1)
    max_completion_tokens: int | None = Field(default=None, ge=1)
    temperature: float | None = Field(default=None, ge=0, le=2)
    top_p: float | None = Field(default=None, gt=0, le=1)
    seed: int | None = None
    stop: str | tuple[str, ...] | None = None
    logprobs: bool | None = None
    top_logprobs: int | None = Field(default=None, ge=0, le=20)
    stream: Literal[False] | None = None
    n: Literal[1] | None = None

    def chat_request(self, *, max_tokens: int, seed: int) -> ChatRequest:
        """What it asks of a model; ``max_tokens`` and ``seed`` stand where it gives none."""
        stop = (self.stop,) if isinstance(self.stop, str) else self.stop or ()
        wanted = 0
        if self.logprobs:
            # one alternative is the least that makes a model report the token's own
            wanted = self.top_logprobs or 1
        return ChatRequest(
            messages=self.messages,
            max_tokens=self.max_completion_tokens or self.max_tokens or max_tokens,
            temperature=1.0 if self.temperature is None else self.temperature,
            top_p=1.0 if self.top_p is None else self.top_p,
            seed=seed if self.seed is None else self.seed,
            top_logprobs=wanted,
            stop=tuple(one for one in stop if one),
        )


class WireAlternative(WireModel):
    """One of the likeliest tokens at a place."""

    token: str
    logprob: float
    bytes: tuple[int, ...] | None = None


class WireToken(WireAlternative):
    """One generated token."""

    top_logprobs: tuple[WireAlternative, ...] = ()


class WireLogprobs(WireModel):
    """The generated tokens, where they were asked for."""

    content: tuple[WireToken, ...] | None = None


class WireReply(WireModel):
    """The assistant's message; no content where it was filtered or a tool was called."""

    role: str = "assistant"
    content: str | None = None


class WireChoice(WireModel):
    """One answer."""

    index: int = 0
    message: WireReply
    logprobs: WireLogprobs | None = None
    finish_reason: str | None = None


class WireUsage(WireModel):
    """Tokens read and written."""

    prompt_tokens: int
    completion_tokens: int = 0
    total_tokens: int


class ChatCompletion(WireModel):
    """Body of the answer."""

    id: str = ""
    object: str = "chat.completion"
    created: int = 0
    model: str
    system_fingerprint: str | None = None
    choices: tuple[WireChoice, ...] = Field(min_length=1)
    usage: WireUsage | None = None


class WireError(WireModel):
    """What went wrong, in words and by code; servers differ in which of them they fill."""

    message: str = ""
    type: str | None = None
    param: str | None = None
    code: str | int | None = None


class ErrorBody(WireModel):
    """Body of every answer that is not 200."""

    error: WireError


def request_body(model: str, request: ChatRequest, takes: Takes | None = None) -> dict[str, object]:
    """The request as the protocol carries it, to a model that takes all of it or as said."""
    takes = takes or Takes()
    body: dict[str, object] = {
        "model": model,
        "messages": [message.model_dump() for message in request.messages],
        takes.max_tokens_as: request.max_tokens,
        "temperature": request.temperature,
        "top_p": request.top_p,
        "seed": request.seed,
    }
    if request.top_logprobs:
        body |= {"logprobs": True, "top_logprobs": request.top_logprobs}
    if request.stop:
        body["stop"] = list(request.stop)
    return {name: value for name, value in body.items() if name not in takes.without}


def token_logprobs(logprobs: WireLogprobs | None) -> tuple[TokenLogprob, ...]:
    """The tokens with their probabilities; empty where the server gave none."""
    return tuple(
        TokenLogprob(
            token=token.token,
            logprob=token.logprob,
            top={one.token: one.logprob for one in reversed(token.top_logprobs)},
        )
        for token in (logprobs.content if logprobs else None) or ()
    )


def chat_completion(answer: ChatAnswer, *, answer_id: str, created: int) -> ChatCompletion:
    """An answer as the protocol carries it; ``created`` is in seconds since 1970."""
    read, written = answer.input_tokens or 0, answer.output_tokens or 0
    choice = WireChoice(
        message=WireReply(content=answer.text),
        logprobs=_wire_logprobs(answer.tokens),
        finish_reason=answer.finish_reason,
    )
    return ChatCompletion(
        id=answer_id,
        created=created,
        model=answer.model,
        system_fingerprint=answer.fingerprint,
        choices=(choice,),
        usage=WireUsage(prompt_tokens=read, completion_tokens=written, total_tokens=read + written),
    )


def _wire_logprobs(tokens: Sequence[TokenLogprob]) -> WireLogprobs | None:
    if not tokens:
        return None
    return WireLogprobs(
        content=tuple(
            WireToken(
                token=token.token,
                logprob=token.logprob,
                bytes=_bytes(token.token),
                top_logprobs=tuple(
                    WireAlternative(token=text, logprob=logprob, bytes=_bytes(text))
                    for text, logprob in sorted(token.top.items(), key=lambda item: -item[1])
                ),
            )
            for token in tokens
        )
    )


def _bytes(text: str) -> tuple[int, ...]:
    return tuple(text.encode("utf-8", "surrogatepass"))
