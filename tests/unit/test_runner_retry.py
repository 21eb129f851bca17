"""Waits, attempts, outages: the policy that both runners share."""

import asyncio
from collections.abc import Callable, Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.errors import DependencyDown, Fatal, Poison, Transient
from schemas.events import MAX_TEXT_BYTES, CandidateSet, Event
from streams.runner.attempt import Dead, Done, Patience, settle
from streams.runner.intake import Intake
from streams.runner.retry import RetryPolicy, wait_s
from tests.events import candidate, candidate_set
from tests.faults.tiny_stage import TinyStage

EVENT = candidate_set(candidate("a"))


class Scripted(TinyStage):
    """Raises what it is told, one after another, then answers."""

    def __init__(self, *errors: Exception | None) -> None:
        super().__init__()
        self.errors = list(errors)
        self.calls = 0

    async def __call__(self, event: CandidateSet) -> Sequence[Event]:
        self.calls += 1
        if self.errors and (error := self.errors.pop(0)) is not None:
            raise error
        return await super().__call__(event)


class Waits:
    """A sleep that takes no time and remembers what was asked for."""

    def __init__(self) -> None:
        self.asked_s: list[float] = []
        self.during: Callable[[], None] = lambda: None

    async def __call__(self, seconds: float) -> None:
        self.asked_s.append(seconds)
        self.during()
        await asyncio.sleep(0)


def patience(waits: Waits, **policy: object) -> Patience:
    return Patience(policy=RetryPolicy.model_validate(policy), sleep=waits, jitter=lambda: 0.5)


def down(reason: str = "unreachable") -> DependencyDown:
    return DependencyDown("the judge is away", reason=reason)


async def test_transient_is_tried_again_with_growing_waits() -> None:
    waits = Waits()
    stage = Scripted(Transient("tired"), Transient("tired"))
    done = await settle(
        stage, EVENT, intake=Intake("t"), patience=patience(waits, first_wait_s=1.0)
    )
    assert isinstance(done, Done)
    assert waits.asked_s == [0.75, 1.5]


async def test_transient_ends_as_a_retryable_death() -> None:
    stage = Scripted(*[Transient("tired") for _ in range(9)])
    dead = await settle(
        stage, EVENT, intake=Intake("t"), patience=patience(Waits(), max_attempts=3)
    )
    assert isinstance(dead, Dead)
    assert (dead.attempt, dead.retryable, stage.calls) == (3, True, 3)


async def test_retry_after_is_honoured() -> None:
    waits = Waits()
    stage = Scripted(Transient("busy", retry_after_s=7.0))
    await settle(stage, EVENT, intake=Intake("t"), patience=patience(waits))
    assert waits.asked_s[0] >= 7.0


async def test_poison_dies_at_once() -> None:
    stage = Scripted(Poison("no"))
    dead = await settle(stage, EVENT, intake=Intake("t"), patience=patience(Waits()))
    assert isinstance(dead, Dead)
    assert (dead.attempt, dead.retryable, stage.calls) == (1, False, 1)


async def test_an_outage_closes_the_intake_and_costs_no_attempt() -> None:
    intake, waits = Intake("t"), Waits()
    reasons: list[str | None] = []
    waits.during = lambda: reasons.append(intake.pause.reason if intake.pause else None)
    stage = Scripted(*[down() for _ in range(20)])
    done = await settle(stage, EVENT, intake=intake, patience=patience(waits, max_attempts=1))
    assert isinstance(done, Done)
    assert set(reasons) == {"unreachable"}
    assert intake.pause is None


async def test_one_event_at_a_time_asks_whether_it_is_back() -> None:
    intake = Intake("t")
    asking = 0
    most = 0

    class Away(TinyStage):
        calls = 0

        async def __call__(self, event: CandidateSet) -> Sequence[Event]:
            nonlocal asking, most
            Away.calls += 1
            if Away.calls <= 5:
                raise down()
            if intake.pause is not None:
                asking += 1
                most = max(most, asking)
                await asyncio.sleep(0)
                asking -= 1
            return await super().__call__(event)

    waits = Waits()
    outcomes = await asyncio.gather(
        *(settle(Away(), EVENT, intake=intake, patience=patience(waits)) for _ in range(5))
    )
    assert all(isinstance(outcome, Done) for outcome in outcomes)
    assert most == 1


async def test_an_event_that_never_gets_through_does_not_hold_up_the_others() -> None:
    """The dependency is back, but for one event that it fails on each time."""
    intake = Intake("t")
    hopeless, other = candidate_set(candidate("a")), candidate_set(candidate("b"))

    class Picky(TinyStage):
        back = False

        async def __call__(self, event: CandidateSet) -> Sequence[Event]:
            if event is hopeless or not Picky.back:
                raise down()
            return await super().__call__(event)

    waits = Waits()
    waits.during = lambda: setattr(Picky, "back", len(waits.asked_s) >= 10)
    stage = Picky()
    stuck = asyncio.create_task(settle(stage, hopeless, intake=intake, patience=patience(waits)))
    async with asyncio.timeout(20):
        done = await settle(stage, other, intake=intake, patience=patience(waits))
    assert isinstance(done, Done)
    stuck.cancel()
    await asyncio.gather(stuck, return_exceptions=True)


async def test_the_questions_of_an_outage_grow_apart_whoever_asks() -> None:
    intake, waits = Intake("t"), Waits()
    stage = Scripted(*[down() for _ in range(6)])
    policy = patience(waits, first_wait_s=1.0, max_wait_s=8.0)
    await asyncio.gather(*(settle(stage, EVENT, intake=intake, patience=policy) for _ in range(3)))
    assert waits.asked_s == [0.75, 1.5, 3.0, 6.0]


async def test_the_intake_opens_when_nobody_is_left_to_ask() -> None:
    """Partitions moved during an outage: their events are cancelled, others must find out."""
    intake = Intake("t")
    never = Patience(sleep=lambda _: asyncio.Event().wait())  # type: ignore[arg-type,return-value]
    task = asyncio.create_task(settle(Scripted(down()), EVENT, intake=intake, patience=never))
    while intake.pause is None:
        await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert intake.pause is None
    await intake.wait_open()


async def test_an_outage_may_have_a_limit() -> None:
    now = 0.0
    intake, waits = Intake("t", clock=lambda: now), Waits()

    def pass_a_minute() -> None:
        nonlocal now
        now += 60

    waits.during = pass_a_minute
    stage = Scripted(*[down() for _ in range(20)])
    with pytest.raises(Fatal, match="given up after 120 s without it: the judge is away"):
        await settle(stage, EVENT, intake=intake, patience=patience(waits, outage_limit_s=120.0))


async def test_a_call_that_takes_too_long_is_transient() -> None:
    class Slow(TinyStage):
        async def __call__(self, event: CandidateSet) -> Sequence[Event]:
            await asyncio.Event().wait()
            return []

    dead = await settle(
        Slow(),
        EVENT,
        intake=Intake("t"),
        patience=patience(Waits(), time_limit_s=0.001, max_attempts=2),
    )
    assert isinstance(dead, Dead)
    assert dead.retryable
    assert "took longer than 0.001 s" in str(dead.error)


async def test_a_timeout_of_the_stage_itself_is_a_defect() -> None:
    with pytest.raises(TimeoutError):
        await settle(
            Scripted(TimeoutError("socket")), EVENT, intake=Intake("t"), patience=patience(Waits())
        )


async def test_a_stage_that_loses_an_event_stops_the_worker() -> None:
    class Silent(TinyStage):
        async def __call__(self, event: CandidateSet) -> Sequence[Event]:
            return []

    with pytest.raises(Fatal, match="not even a Discard"):
        await settle(Silent(), EVENT, intake=Intake("t"), patience=patience(Waits()))


@pytest.mark.parametrize(("size", "dies"), [(MAX_TEXT_BYTES, False), (MAX_TEXT_BYTES + 1, True)])
async def test_a_text_over_one_mebibyte_dies(size: int, dies: bool) -> None:
    big = candidate_set(candidate("a", "é" * (size // 2) + "x" * (size % 2)))
    settled = await settle(Scripted(), big, intake=Intake("t"), patience=patience(Waits()))
    assert isinstance(settled, Dead) is dies


@given(
    st.integers(1, 10_000),
    st.none() | st.floats(0, 1e6),
    st.floats(0, 1, exclude_max=True),
)
def test_waits_stay_within_their_bounds(
    failures: int, retry_after_s: float | None, jitter: float
) -> None:
    policy = RetryPolicy()
    waited_s = wait_s(policy, failures, retry_after_s, jitter)
    asked_s = min(retry_after_s or 0.0, policy.max_retry_after_s)
    assert asked_s <= waited_s <= max(policy.max_wait_s, 1.1 * asked_s)
