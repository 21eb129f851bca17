"""The in-process runner: the same stages over events in memory, without a broker."""

import asyncio
from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from schemas.codec import Codec
from schemas.errors import ConfigError
from schemas.events import TOPICS, DeadLetter, Event, partition_key
from streams.runner.attempt import Patience
from streams.runner.dead_letter import Arrival
from streams.runner.intake import Intake
from streams.runner.poison import PoisonLimit, PoisonWindow
from streams.runner.processor import Counts, Processor
from streams.runner.retry import RetryPolicy
from streams.stage import Stage
from streams.topology import STAGE_INPUTS

# A file does not go away: a person waits in front of the run, and may start it again.
LOCAL_RETRY = RetryPolicy(outage_limit_s=120.0)


@dataclass(kw_only=True)
class LocalRun:
    """What a run took in and made: the logs of its topics.

    ``outputs`` holds the events of each topic in the order of the inputs, the first of an id only
    (as every reader of a topic dedupes); ``taken`` the ids that each stage took in.
    """

    outputs: dict[str, list[Event]] = field(default_factory=dict)
    taken: dict[str, list[str]] = field(default_factory=dict)
    _seen: set[str] = field(default_factory=set)

    @property
    def dead_letters(self) -> list[DeadLetter]:
        """The events that could not be processed."""
        return [e for e in self.outputs.get("dead-letters", []) if isinstance(e, DeadLetter)]

    def unaccounted(self) -> dict[str, set[str]]:
        """By stage, the ids taken in that no output names; empty where the accounts close."""
        named = {source for log in self.outputs.values() for e in log for source in e.source_ids}
        open_ids = {stage: set(ids) - named for stage, ids in self.taken.items()}
        return {stage: ids for stage, ids in open_ids.items() if ids}

    def add(self, event: Event) -> bool:
        """Write an event to its topic; False where its id is there already."""
        if event.event_id in self._seen:
            return False
        self._seen.add(event.event_id)
        self.outputs.setdefault(TOPICS[type(event)], []).append(event)
        return True


async def run_local(
    stages: Sequence[Stage[Any]],
    events: Iterable[Event],
    concurrency: int = 8,
    on_event: Callable[[Event], None] | None = None,
    *,
    patience: Patience | None = None,
    poison: PoisonLimit | None = None,
    inputs: Mapping[str, type[Event]] = STAGE_INPUTS,
) -> LocalRun:
    """Run events through stages, each output on to the stage that takes its type.

    Gives the events that the same stages give on Kafka, but for durations, latency and cost, and
    for the place that a dead letter names (partition 0 and the order of arrival here). At most
    ``concurrency`` events are in stages at a time and as many of ``events`` are held at once.
    ``on_event`` sees every output that is kept, in the order of the inputs. Stages are not closed.

    Raises ``Fatal`` as a worker would stop, also where a dependency stays away for longer than
    the policy allows, and ``ConfigError`` for an event that no stage takes.
    """
    chain = _Chain(stages, concurrency, inputs, patience, poison or PoisonLimit())
    run = LocalRun(taken=chain.taken)
    window: deque[asyncio.Task[list[Event]]] = deque()

    async def keep_first() -> None:
        for output in await window.popleft():
            if run.add(output) and on_event is not None:
                on_event(output)

    try:
        for event in events:
            if not chain.takes(event):
                raise ConfigError(
                    f"no stage of {', '.join(s.name for s in stages)} takes a "
                    f"{type(event).__name__} ({event.event_id}); check the input's kind"
                )
            if len(window) >= concurrency:
                await keep_first()
            window.append(asyncio.create_task(chain.follow(event)))
        while window:
            await keep_first()
    finally:
        for task in window:
            task.cancel()
        await asyncio.gather(*window, return_exceptions=True)
    return run


class _Chain:
    """The stages by what they take."""

    def __init__(
        self,
        stages: Sequence[Stage[Any]],
        concurrency: int,
        inputs: Mapping[str, type[Event]],
        patience: Patience | None,
        poison: PoisonLimit,
    ) -> None:
        self._slots = asyncio.Semaphore(concurrency)
        self._codec = Codec()
        self._processors: dict[type[Event], Processor[Any]] = {
            inputs[stage.name]: Processor(
                stage=stage,
                intake=Intake(stage.name),
                patience=patience or Patience(policy=LOCAL_RETRY),
                poison=PoisonWindow(poison),
                counts=Counts(),
            )
            for stage in stages
        }
        self.taken: dict[str, list[str]] = {stage.name: [] for stage in stages}

    def takes(self, event: Event) -> bool:
        return type(event) in self._processors

    async def follow(self, event: Event) -> list[Event]:
        """All that comes of an event, stage after stage, each output before what follows of it."""
        processor = self._processors.get(type(event))
        if processor is None:
            return []
        made: list[Event] = []

        async def deliver(outputs: Sequence[Event]) -> None:
            for output in outputs:
                self._codec.encode(output)  # what Kafka could not carry is poison here too
            made.extend(outputs)

        async with self._slots:
            await processor.intake.wait_open()
            await processor(self._arrival(processor.stage.name, event), event, deliver)
        branches = [asyncio.create_task(self.follow(output)) for output in made]
        try:
            below = await asyncio.gather(*branches)
        except BaseException:
            for branch in branches:
                branch.cancel()
            raise
        return [e for output, rest in zip(made, below, strict=True) for e in (output, *rest)]

    def _arrival(self, stage: str, event: Event) -> Arrival:
        taken = self.taken[stage]
        taken.append(event.event_id)
        return Arrival(
            topic=TOPICS[type(event)],
            partition=0,
            offset=len(taken) - 1,
            at=event.occurred_at,
            key=partition_key(event).encode(),
            value=self._codec.encode(event),
        )
