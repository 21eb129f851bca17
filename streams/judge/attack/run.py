"""The suite against a judge stage as it runs."""

import asyncio
from collections.abc import Callable, Iterable, Sequence

from schemas.errors import ConfigError, PrefstreamError
from schemas.events import Comparison, Discard, Event, Judgment
from schemas.records import Winner
from streams.judge.attack.measure import Outcome, is_fair, outcome
from streams.judge.attack.suite import Attacked, Place, spread
from streams.judge.stage import JudgeStage

# Comparisons in the judge at a time, each of them two calls.
_IN_FLIGHT = 32


async def attack(
    stage: JudgeStage,
    pairs: Sequence[tuple[Comparison, Winner]],
    repeats: int,
    on_done: Callable[[int, int], None] | None = None,
    *,
    places: Sequence[Place] = tuple(Place),
) -> list[Outcome]:
    """Judge every pair, and attacked where that is decided rightly.

    ``on_done(done, total)`` is told as it goes. Raises ``ConfigError`` where the stage judges none
    of them, and what the stage raises.
    """
    attacked = list(spread(pairs, repeats, places))
    originals = {one.clean.event_id: one.clean for one in attacked}
    slots = asyncio.Semaphore(_IN_FLIGHT)
    total, done = len(attacked) + len(originals), 0

    async def judge(event: Comparison) -> Judgment:
        nonlocal done
        async with slots:
            (found,) = map(_judged, await stage(event))
        done += 1
        if on_done is not None:
            on_done(done, total)
        return found

    async def all_of(events: Iterable[Comparison]) -> list[Judgment]:
        # the first failure ends the others: nobody may use the stage after it is closed
        try:
            async with asyncio.TaskGroup() as group:
                tasks = [group.create_task(judge(event)) for event in events]
        except* PrefstreamError as failed:
            raise failed.exceptions[0] from None
        return [task.result() for task in tasks]

    clean = dict(zip(originals, await all_of(originals.values()), strict=True))
    fair = [one for one in attacked if is_fair(one, clean[one.clean.event_id])]
    total = len(originals) + len(fair)
    after = dict(zip(map(_id, fair), await all_of(one.comparison for one in fair), strict=True))
    return [outcome(one, clean[one.clean.event_id], after.get(_id(one))) for one in attacked]


def _id(one: Attacked) -> str:
    return one.comparison.event_id


def _judged(found: Event) -> Judgment:
    if isinstance(found, Judgment):
        return found
    reason = found.reason if isinstance(found, Discard) else type(found).__name__
    raise ConfigError(
        f"the judge stage answers a pair with {reason} instead of a judgment, so there is nothing "
        "to attack; set judge.model or judge.panel of pipeline.yaml, and where it says same_model, "
        "judge.allow_same_model: true"
    )
