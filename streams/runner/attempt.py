"""One event through one stage: attempts, waits and what comes of it, alike for every runner."""

import asyncio
import random
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field

from schemas.errors import DependencyDown, Fatal, Poison, PrefstreamError, Transient
from schemas.events import Event
from streams.runner.intake import Intake
from streams.runner.retry import RetryPolicy, wait_s
from streams.runner.text_size import check_text_size
from streams.stage import In, Stage


@dataclass(frozen=True, kw_only=True)
class Done:
    """The stage answered; its outputs are to be delivered."""

    outputs: tuple[Event, ...]


@dataclass(frozen=True, kw_only=True)
class Dead:
    """The event is to become a dead letter; ``retryable`` where time may mend it."""

    error: PrefstreamError
    attempt: int
    retryable: bool


@dataclass(frozen=True, kw_only=True)
class Patience:
    """What `settle` waits with; clock and dice are injectable, so tests need not wait."""

    policy: RetryPolicy = field(default_factory=RetryPolicy)
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep
    jitter: Callable[[], float] = random.random

    async def after(self, failures: int, error: Transient) -> None:
        """Wait as the policy says after that many failures, the last of them ``error``."""
        await self.sleep(wait_s(self.policy, failures, error.retry_after_s, self.jitter()))


async def settle(stage: Stage[In], event: In, *, intake: Intake, patience: Patience) -> Done | Dead:
    """Bring one event to its end.

    Poison ends at once, Transient after the policy's attempts; a dependency that is down closes
    the intake and costs no attempt. Raises ``Fatal`` and whatever defect the stage has.
    """
    failures = 0
    while True:
        try:
            check_text_size(event)
            return await _ask(stage, event, patience.policy)
        except DependencyDown as down:
            try:
                done = await _outlast(stage, event, down, intake=intake, patience=patience)
            except Poison as poison:
                return Dead(error=poison, attempt=failures + 1, retryable=False)
            except Transient as transient:
                failures, error = failures + 1, transient
            else:
                if done is not None:
                    return done
                continue
        except Transient as transient:
            failures, error = failures + 1, transient
        except Poison as poison:
            return Dead(error=poison, attempt=failures + 1, retryable=False)
        if failures >= patience.policy.max_attempts:
            return Dead(error=error, attempt=failures, retryable=True)
        await patience.after(failures, error)


async def _outlast(
    stage: Stage[In], event: In, down: DependencyDown, *, intake: Intake, patience: Patience
) -> Done | None:
    """Ask until the dependency is back; None where another event found it back meanwhile."""
    limit_s = patience.policy.outage_limit_s
    async with intake.outage(down):
        while True:
            async with intake.turn() as pause:
                if pause is None:
                    return None
                if limit_s is not None and intake.down_for_s() > limit_s:
                    raise Fatal(
                        f"{stage.name}: given up after {limit_s:g} s without it: {pause.down}"
                    )
                await patience.after(pause.asked, pause.down)
                try:
                    done = await _ask(stage, event, patience.policy)
                except DependencyDown as again:
                    intake.close(again)
                else:
                    intake.open()
                    return done


async def _ask(stage: Stage[In], event: In, policy: RetryPolicy) -> Done:
    try:
        async with asyncio.timeout(policy.time_limit_s) as limit:
            outputs = await stage(event)
    except TimeoutError as error:
        if not limit.expired():
            raise
        raise Transient(
            f"{stage.name}: event {event.event_id} took longer than {policy.time_limit_s:g} s"
        ) from error
    return Done(outputs=tuple(_accounted(stage.name, event, outputs)))


def _accounted(stage: str, event: Event, outputs: Sequence[Event]) -> Sequence[Event]:
    """The outputs, if they account for the event; a stage that loses one is a defect."""
    if not outputs:
        raise Fatal(f"stage {stage} made nothing of event {event.event_id}, not even a Discard")
    for output in outputs:
        if event.event_id not in output.source_ids:
            raise Fatal(
                f"stage {stage} made {type(output).__name__} {output.event_id} of event "
                f"{event.event_id} without naming it among the source_ids"
            )
    return outputs
