"""A model that stops asking where the budget would be overrun."""

import time
from collections.abc import Callable

from schemas.errors import DependencyDown
from streams.inference.chat import ChatAnswer, ChatModel, ChatRequest
from streams.inference.settings import Budget, Price
from streams.inference.spending import SpendingLedger, Spent


def overrun(budget: Budget, spent: Spent, next_usd: float) -> str | None:
    """Which bound ``next_usd`` more would break, as a sentence; None where there is room."""
    for name, limit_usd, so_far_usd, remedy in (
        ("hourly_usd", budget.hourly_usd, spent.hour_usd, "wait for the next hour"),
        ("total_usd", budget.total_usd, spent.total_usd, "stop here"),
    ):
        if limit_usd is not None and so_far_usd + next_usd > limit_usd:
            return (
                f"the budget is spent: {so_far_usd:.4f} USD of {name} {limit_usd:g}, and calls "
                f"under way may cost {next_usd:.4f} more; {remedy}, or raise "
                f"inference.budget.{name} in pipeline.yaml, which is read again when it changes"
            )
    return None


class BudgetedModel:
    """A ``ChatModel`` that asks ``inner`` as long as the budget has room for the whole answer.

    Calls under way hold what they may cost at most, so this model does not overrun. Others on the
    same ledger (members of a panel, workers of the stage on this machine) may, by what they have
    under way. A call that breaks off counts as free: nobody says what it cost. Owns ``inner`` and
    the ledger, and closes both.
    """

    def __init__(
        self,
        inner: ChatModel,
        price: Price,
        budget: Callable[[], Budget],
        ledger: SpendingLedger,
        *,
        clock: Callable[[], float] = time.time,
    ) -> None:
        """``inner`` puts the cost on its answers; ``budget`` gives that of the moment, and
        ``clock`` seconds since 1970.
        """
        self.model = inner.model
        self._inner = inner
        self._price = price
        self._budget = budget
        self._ledger = ledger
        self._clock = clock
        self._held_usd = 0.0

    async def complete(self, request: ChatRequest) -> ChatAnswer:
        """The answer; raises ``DependencyDown`` (budget) where it might cost too much."""
        most_usd = self._price.most_usd(request)
        # Reads and writes of the ledger (a tenth of a millisecond) block: no other call may come
        # between look and hold, or count one sum twice.
        spent = self._ledger.spent(self._clock())
        refused = overrun(self._budget(), spent, self._held_usd + most_usd)
        if refused is not None:
            raise DependencyDown(f"model {self.model}: {refused}", reason="budget")
        self._held_usd += most_usd
        try:
            answer = await self._inner.complete(request)
            self._ledger.add(answer.cost_usd or 0.0, self._clock())
        finally:
            self._held_usd -= most_usd
        return answer

    async def aclose(self) -> None:
        await self._inner.aclose()
        self._ledger.close()
