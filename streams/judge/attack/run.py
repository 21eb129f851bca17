"""The suite against a judge stage as it runs."""

import asyncio
from collections.abc import Callable, Iterable, Sequence

from schemas.errors import PrefstreamError
from schemas.events import Comparison, Judgment
from schemas.records import Winner
from streams.judge.attack.measure import AttackReport, report
from streams.judge.attack.suite import Place, spread
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
) -> AttackReport:
    """Judge every attacked comparison and its clean original; ``on_done(done, total)`` as it goes.

    Raises ValueError where nothing can be counted, and what the stage raises.
    """
    attacked = list(spread(pairs, repeats, places))
    originals = {one.clean.event_id: one.clean for one in attacked}
    slots = asyncio.Semaphore(_IN_FLIGHT)
    total, done = len(attacked) + len(originals), 0

    async def judge(event: Comparison) -> Judgment:
        nonlocal done
        async with slots:
            (found,) = await stage(event)
        assert isinstance(found, Judgment)
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
    after = await all_of(one.comparison for one in attacked)
    return report(
        (one, clean[one.clean.event_id], judgment)
        for one, judgment in zip(attacked, after, strict=True)
    )
