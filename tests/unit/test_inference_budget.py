"""What an answer costs, and when there is no money for another."""

import asyncio
import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from infra.settings import Settings
from schemas.errors import ConfigError, DependencyDown, Poison
from streams.inference.budget import BudgetedModel, overrun
from streams.inference.chat import ChatAnswer, ChatRequest, as_messages
from streams.inference.live_budget import LiveBudget
from streams.inference.metered import open_metered
from streams.inference.priced import PricedModel
from streams.inference.settings import Budget, InferenceSettings, Price
from streams.inference.spending import SpendingLedger, Spent

# 10 tokens of 4 characters in, at most 10 out: 10 x 1 + 10 x 2 millionths, times 1000
REQUEST = ChatRequest(messages=as_messages([("user", "x" * 40)]), max_tokens=10)
PRICE = Price(input_usd=1000.0, output_usd=2000.0)
MOST_USD = 0.03
HOUR_S = 3600.0


class Counted:
    """Answers with the token counts it is given."""

    model = "counted"

    def __init__(self, tokens: tuple[int | None, int | None] = (10, 5)) -> None:
        self.tokens = tokens
        self.calls = 0
        self.error: Exception | None = None

    async def complete(self, request: ChatRequest) -> ChatAnswer:
        self.calls += 1
        if self.error is not None:
            raise self.error
        read, written = self.tokens
        return ChatAnswer(text="y" * 8, model="m", input_tokens=read, output_tokens=written)

    async def aclose(self) -> None:
        """Nothing is held."""


def budgeted(
    inner: Counted, budget: Budget, ledger: SpendingLedger, now_s: float = 0.0
) -> BudgetedModel:
    priced = PricedModel(inner, PRICE)
    return BudgetedModel(priced, PRICE, lambda: budget, ledger, clock=lambda: now_s)


@pytest.mark.parametrize(
    ("tokens", "cost_usd"),
    [((10, 5), 0.02), ((None, 5), 0.02), ((10, None), 0.014), ((0, 0), 0.0)],
)
async def test_tokens_cost_by_the_million_and_uncounted_ones_by_characters(
    tokens: tuple[int | None, int | None], cost_usd: float
) -> None:
    answer = await PricedModel(Counted(tokens), PRICE).complete(REQUEST)
    assert answer.cost_usd == pytest.approx(cost_usd)


@pytest.mark.parametrize(
    ("budget", "spent", "says"),
    [
        (Budget(), Spent(hour_usd=1e9, total_usd=1e9), None),
        (Budget(hourly_usd=1.0), Spent(hour_usd=0.5, total_usd=50.0), None),
        (Budget(hourly_usd=1.0), Spent(hour_usd=0.99, total_usd=50.0), "hourly_usd 1,"),
        (Budget(hourly_usd=1.0, total_usd=50.0), Spent(hour_usd=0.5, total_usd=49.99), "total_usd"),
    ],
)
def test_the_budget_has_room_for_the_whole_answer(
    budget: Budget, spent: Spent, says: str | None
) -> None:
    found = overrun(budget, spent, MOST_USD)
    assert (found is None) if says is None else (found is not None and says in found)


async def test_an_hour_that_is_spent_refuses_and_the_next_one_does_not() -> None:
    inner, ledger = Counted(), SpendingLedger(None, "judge")
    budget = Budget(hourly_usd=0.055)
    for _ in range(2):
        await budgeted(inner, budget, ledger).complete(REQUEST)
    with pytest.raises(DependencyDown, match=r"raise inference\.budget\.hourly_usd") as caught:
        await budgeted(inner, budget, ledger, HOUR_S - 1).complete(REQUEST)
    assert (caught.value.reason, inner.calls) == ("budget", 2)
    await budgeted(inner, budget, ledger, HOUR_S).complete(REQUEST)
    raised = Budget(hourly_usd=1.0)
    await budgeted(inner, raised, ledger, HOUR_S - 1).complete(REQUEST)


async def test_a_restarted_worker_is_bound_by_what_was_spent(tmp_path: Path) -> None:
    path, budget = tmp_path / "spending.sqlite", Budget(total_usd=0.04)
    before = budgeted(Counted(), budget, SpendingLedger(path, "judge"))
    await before.complete(REQUEST)
    await before.aclose()
    after = budgeted(Counted(), budget, SpendingLedger(path, "judge"), 10 * HOUR_S)
    with pytest.raises(DependencyDown, match="total_usd"):
        await after.complete(REQUEST)
    await after.aclose()
    other_stage = budgeted(Counted(), budget, SpendingLedger(path, "sample"))
    await other_stage.complete(REQUEST)
    await other_stage.aclose()


async def test_calls_at_once_do_not_overrun_together() -> None:
    inner = Counted((10, 10))
    model = budgeted(inner, Budget(total_usd=2.5 * MOST_USD), SpendingLedger(None, "judge"))
    found = await asyncio.gather(
        *(model.complete(REQUEST) for _ in range(20)), return_exceptions=True
    )
    refused = [one for one in found if isinstance(one, DependencyDown)]
    assert (inner.calls, len(refused)) == (2, 18)


async def test_a_call_that_failed_holds_nothing_back() -> None:
    inner, ledger = Counted(), SpendingLedger(None, "judge")
    model = budgeted(inner, Budget(total_usd=MOST_USD), ledger)
    inner.error = Poison("refused")
    with pytest.raises(Poison):
        await model.complete(REQUEST)
    inner.error = None
    assert (await model.complete(REQUEST)).cost_usd == pytest.approx(0.02)


@given(st.lists(st.tuples(st.sampled_from("ab"), st.integers(0, 4), st.floats(0, 9)), max_size=20))
def test_the_ledger_sums_by_stage_and_hour(rows: list[tuple[str, int, float]]) -> None:
    path_ledgers = {stage: SpendingLedger(None, stage) for stage in "ab"}
    for stage, hour, usd in rows:
        path_ledgers[stage].add(usd, hour * HOUR_S + 1)
    for stage, ledger in path_ledgers.items():
        spent = ledger.spent(2 * HOUR_S)
        mine = [(hour, usd) for name, hour, usd in rows if name == stage]
        assert spent.total_usd == pytest.approx(sum(usd for _, usd in mine))
        assert spent.hour_usd == pytest.approx(sum(usd for hour, usd in mine if hour == 2))
        ledger.close()


def test_a_budget_needs_a_price() -> None:
    bounded = InferenceSettings(budget=Budget(hourly_usd=1.0))
    with pytest.raises(ConfigError, match="has no price for it"):
        open_metered(
            "openai:big",
            Settings(model_url="http://h/v1"),
            bounded,
            stage="judge",
            budget=lambda: bounded.budget,
        )


def changed(path: Path, text: str) -> None:
    """Write the file with a modification time that it never had."""
    path.write_text(text)
    stamp = path.stat().st_mtime_ns + 1_000_000_000
    os.utime(path, ns=(stamp, stamp))


async def test_a_budget_that_is_raised_in_the_file_counts_without_a_restart(
    tmp_path: Path,
) -> None:
    path = tmp_path / "pipeline.yaml"
    path.write_text("inference: {budget: {total_usd: 0.001}}")
    budget = LiveBudget(path, Budget(total_usd=0.001))
    model = BudgetedModel(
        PricedModel(Counted(), PRICE), PRICE, budget, SpendingLedger(None, "judge")
    )
    with pytest.raises(DependencyDown, match="read again when it changes"):
        await model.complete(REQUEST)
    changed(path, "workload: shop\ninference: {budget: {total_usd: 1}}")
    await model.complete(REQUEST)


def test_a_file_that_cannot_be_read_leaves_the_budget_as_it_was(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "pipeline.yaml"
    path.write_text("")
    budget = LiveBudget(path, Budget(total_usd=5))
    changed(path, "inference: {budget: {total_usd: -1}}")
    assert budget() == budget() == Budget(total_usd=5)
    assert caplog.text.count("the budget stays as it was") == 1
    path.unlink()
    assert budget() == Budget(total_usd=5)
