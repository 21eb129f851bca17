"""What models cost and how much may be spent, as the project file says."""

from collections.abc import Mapping, Sequence
from typing import Literal

from pydantic import Field

from schemas.records import Message, Record
from streams.inference.chat import ChatRequest

# vLLM batches what is there: 64 keeps it busy, and a provider's limits are met by Retry-After.
CONCURRENCY = 64
# Below the runner's limit for a whole event (120 s), so that a server that is too slow for every
# event is seen to be (breaker.py), and not taken for many slow events.
ANSWER_S = 100.0
# Of English text; other languages and SQL have fewer, so an estimate by it is a rough one.
CHARACTERS_PER_TOKEN = 4
_PER_PRICE = 1_000_000


class Price(Record):
    """What a model takes, in USD per million tokens."""

    input_usd: float = Field(ge=0)
    output_usd: float = Field(ge=0)

    def cost_usd(self, input_tokens: int, output_tokens: int) -> float:
        """Price of one answer."""
        return (input_tokens * self.input_usd + output_tokens * self.output_usd) / _PER_PRICE

    def most_usd(self, request: ChatRequest) -> float:
        """About the most that a request can cost: its text, and an answer of full length."""
        return self.cost_usd(messages_tokens(request.messages), request.max_tokens)


class Takes(Record):
    """What a model takes of a request, where it is not what most do."""

    max_tokens_as: Literal["max_tokens", "max_completion_tokens"] = "max_tokens"
    """The name of the bound on an answer's tokens."""

    without: tuple[Literal["temperature", "top_p", "seed", "stop"], ...] = ()
    """Fields that it refuses. They are not sent: the model draws as it likes, and no seed holds.
    Log-probabilities are not asked for where ``judge.top_logprobs`` is 0."""


class Budget(Record):
    """How much one stage may spend on this machine; None: no bound."""

    hourly_usd: float | None = Field(default=None, gt=0)
    """In an hour of the clock, UTC."""

    total_usd: float | None = Field(default=None, gt=0)
    """Since the data folder was made."""


class InferenceSettings(Record):
    """The ``inference`` section of pipeline.yaml: models at an endpoint, by their name there.

    | to                                       | set                                        |
    |------------------------------------------|--------------------------------------------|
    | have costs on opinions and candidates    | ``prices: {NAME: {input_usd: 0.15,         |
    |                                          | output_usd: 0.6}}``                        |
    | stop at 2 USD an hour, 50 in all         | ``budget: {hourly_usd: 2, total_usd: 50}`` |
    | accept that NAME answers as another name | ``answers_as: {NAME: OTHER}``              |
    | ask a reasoning model, which takes less  | ``takes: {NAME: {max_tokens_as:            |
    |                                          | max_completion_tokens,                     |
    |                                          | without: [temperature, top_p]}}``          |
    """

    concurrency: int = Field(default=CONCURRENCY, ge=1)
    """Requests of one worker that are under way at an endpoint; others wait their turn."""

    answer_s: float = Field(default=ANSWER_S, gt=0)
    """How long an endpoint may be silent before the request is given up and tried again."""

    prices: Mapping[str, Price] = Field(default_factory=dict)
    """USD per million tokens."""

    budget: Budget = Budget()

    answers_as: Mapping[str, str] = Field(default_factory=dict)
    """The name that an endpoint answers with, where it is not the one that is asked for or a
    version of it."""

    takes: Mapping[str, Takes] = Field(default_factory=dict)
    """What a model takes of a request, where it refuses some of it."""


def text_tokens(text: str) -> int:
    """About how many tokens a text has, by its characters."""
    return -(-len(text) // CHARACTERS_PER_TOKEN)


def messages_tokens(messages: Sequence[Message]) -> int:
    """About how many tokens messages have, by their characters."""
    return sum(text_tokens(message.content) for message in messages)
