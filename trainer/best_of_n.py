"""Best-of-N: several answers of a policy to one prompt, the reward model's favourite given."""

import asyncio
import math
from collections.abc import Sequence
from typing import Protocol

from pydantic import Field

from schemas.errors import Poison
from schemas.records import Message, Record
from streams.inference.chat import ChatAnswer, ChatModel, ChatRequest
from streams.inference.known_sum import known_sum


class BestOfNSettings(Record):
    """How many answers, and how they are made to differ."""

    n: int = Field(default=4, ge=1)
    temperature: float = Field(default=0.7, gt=0)
    """Where a request asks for none: greedy answers would all be the same."""


class Scorer(Protocol):
    """A reward model. None stands for a chat that it cannot read."""

    def scores(self, chats: Sequence[Sequence[Message]]) -> list[float | None]: ...


def best(scores: Sequence[float | None]) -> int | None:
    """Index of the highest score, the first of equals; None where nothing has one. Pure.

    What is None or no number has no score.
    """
    known = [
        (score, -index)
        for index, score in enumerate(scores)
        if score is not None and not math.isnan(score)
    ]
    return -max(known)[1] if known else None


class BestOfN:
    """A ``ChatModel`` that asks another one N times and gives the best answer.

    Tokens and cost are those of all N answers.
    """

    def __init__(self, model: ChatModel, scorer: Scorer, settings: BestOfNSettings) -> None:
        self._model, self._scorer, self._settings = model, scorer, settings
        self.model = f"{model.model} best of {settings.n}"

    async def complete(self, request: ChatRequest) -> ChatAnswer:
        """As the model's own; ``Poison`` too where no answer can be scored."""
        answers = await asyncio.gather(*map(self._model.complete, self._asked(request)))
        chats = [
            (*request.messages, Message(role="assistant", content=answer.text))
            for answer in answers
        ]
        chosen = best(await asyncio.to_thread(self._scorer.scores, chats))
        if chosen is None:
            raise Poison(
                f"none of {len(answers)} answers can be scored: each is longer than the reward "
                "model's context; lower max_tokens or train it with a longer one"
            )
        return answers[chosen].model_copy(
            update={
                "model": self.model,
                "output_tokens": known_sum(answer.output_tokens for answer in answers),
                "cost_usd": known_sum(answer.cost_usd for answer in answers),
            }
        )

    async def aclose(self) -> None:
        """Close the model."""
        await self._model.aclose()

    def _asked(self, request: ChatRequest) -> list[ChatRequest]:
        """The request N times, each with a seed of its own."""
        temperature = request.temperature or self._settings.temperature
        n = self._settings.n
        return [
            request.model_copy(update={"temperature": temperature, "seed": request.seed * n + one})
            for one in range(n)
        ]
