"""Several rewards as one: their weighted sum, known only where every one of them is."""

import asyncio
import inspect
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any

from schemas.errors import ConfigError

Rewards = Sequence[float | None]
RewardFunction = Callable[..., Rewards | Awaitable[Rewards]]
"""``(prompts, completions, **columns) -> rewards`` as TRL calls it, maybe a coroutine; None where
the reward of a completion is not known."""


@dataclass(frozen=True, kw_only=True)
class Reward:
    """One of the rewards that an answer gets; ``name`` is the one it is logged by."""

    name: str
    function: RewardFunction
    weight: float = 1.0


def weighted(columns: Sequence[Rewards], weights: Sequence[float]) -> list[float | None]:
    """For each answer the sum of its rewards times their weights, None where one is None. Pure."""
    return [
        None
        if any(reward is None for reward in answer)
        else sum(w * r for w, r in zip(weights, answer, strict=True) if r is not None)
        for answer in zip(*columns, strict=True)
    ]


@dataclass(frozen=True, kw_only=True)
class LengthPenalty:
    """A reward in [-1, 0]: 0 up to ``free_tokens``, then falling linearly to -1 at ``max_tokens``.

    So far as a shorter answer is as good otherwise, it pays to be short; below ``free_tokens``
    nothing is gained.
    """

    free_tokens: int
    max_tokens: int

    def __call__(self, completion_ids: Sequence[Sequence[int]], **columns: object) -> list[float]:
        del columns
        over = [max(0, len(ids) - self.free_tokens) for ids in completion_ids]
        return [-min(1.0, tokens / (self.max_tokens - self.free_tokens)) for tokens in over]


class WeightedRewards:
    """The rewards of an answer as one reward function of TRL, which logs it as ``weighted``.

    TRL can sum several functions too, but counts one that does not know (None) as 0 as soon as
    another one does: an answer that could not be checked would be trained on as a wrong one.
    """

    __name__ = "weighted"

    def __init__(self, rewards: Sequence[Reward]) -> None:
        self._rewards = tuple(rewards)
        self.batches = 0
        """How often they were asked."""
        self.any_known = False
        """Whether an answer had a known reward."""
        self._answers = 0
        self._unknown: Counter[str] = Counter()

    async def __call__(self, **columns: Any) -> list[float | None]:
        """Raises ``ConfigError`` where a reward function gives too few or too many rewards."""
        found = await asyncio.gather(*(_ask(reward, columns) for reward in self._rewards))
        n = len(columns["completions"])
        for reward, values in zip(self._rewards, found, strict=True):
            if len(values) != n:
                raise ConfigError(
                    f"the reward {reward.name} gave {len(values)} values for {n} completions; "
                    "give one for each, None where it is not known"
                )
            _log(columns, reward.name, values)
            self._unknown[reward.name] += sum(value is None for value in values)
        rewards = weighted(found, [reward.weight for reward in self._rewards])
        self.batches += 1
        self._answers += n
        self.any_known |= any(reward is not None for reward in rewards)
        return rewards

    def unknown(self) -> str:
        """How many answers each reward did not know so far."""
        return ", ".join(
            f"{reward.name}: {self._unknown[reward.name]} of {self._answers} unknown"
            for reward in self._rewards
        )


async def _ask(reward: Reward, columns: dict[str, Any]) -> Rewards:
    function = reward.function
    called = type(function).__call__ if not inspect.isroutine(function) else function
    if inspect.iscoroutinefunction(called):
        answer: Rewards = await function(**columns)  # type: ignore[misc]
        return answer
    # A thread of its own: it may run an event loop itself.
    return await asyncio.to_thread(function, **columns)  # type: ignore[arg-type]


def _log(columns: dict[str, Any], name: str, values: Rewards) -> None:
    """The mean of those that are known, and how many are not, in TRL's log."""
    log = columns.get("log_metric")
    known = [value for value in values if value is not None]
    if log is None or not values:
        return
    if known:
        log(f"reward/{name}", sum(known) / len(known))
    log(f"unknown/{name}", 1 - len(known) / len(values))
