"""Topics in memory, with the stages in this process: what rounds use where there is no broker."""

import asyncio
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

from infra.settings import Settings
from schemas.events import TOPICS, Event, Preference
from streams.local import LocalRun, run_local
from streams.pipeline import build_stage
from streams.stage import Stage
from streams.topology import STAGE_INPUTS
from trainer.staged_log import LogValues, values_of

E = TypeVar("E", bound=Event)

_CONCURRENCY = 64


class LocalTopics:
    """Stages in memory, in one event loop. See ``local_topics``."""

    def __init__(
        self, settings: Settings, stages: list[Stage[Any]], runner: asyncio.Runner
    ) -> None:
        self.settings = settings
        self._stages = stages
        self._runner = runner
        self._inputs: list[Event] = []
        self.run = LocalRun(taken={stage: [] for stage in STAGE_INPUTS})

    def remember(self, events: Iterable[Event]) -> None:
        """Take events of an earlier run into the topics; the stages had them then."""
        for event in events:
            self.run.add(event)

    def publish(self, events: Iterable[Event]) -> None:
        """Write events to their topics; what a stage takes waits until ``settle``."""
        for event in events:
            if self.run.add(event) and isinstance(event, tuple(STAGE_INPUTS.values())):
                self._inputs.append(event)

    def settle(self, watch: Callable[[Mapping[str, int]], None]) -> None:
        """Run the stages over all that waits; raises as ``run_local``."""
        left = dict.fromkeys(STAGE_INPUTS, 0) | {"sample": len(self._inputs)}

        def count(_: Event) -> None:
            watch(left)

        inputs, self._inputs = self._inputs, []
        made = self._runner.run(
            run_local(self._stages, inputs, concurrency=_CONCURRENCY, on_event=count)
        )
        for stage, taken in made.taken.items():
            self.run.taken[stage] += taken
        for events in made.outputs.values():
            for event in events:
                self.run.add(event)

    def events(self, kind: type[E]) -> list[E]:
        """Every event of a topic so far, the first of an id only."""
        return [e for e in self.run.outputs.get(TOPICS[kind], []) if isinstance(e, kind)]

    def preferences(self) -> LogValues:
        """All of them so far, as a dataset is frozen from."""
        return values_of(self.events(Preference))


@contextmanager
def stages_of(
    settings: Settings, project: Path
) -> Iterator[tuple[list[Stage[Any]], asyncio.Runner]]:
    """Every stage of the project, built here; leaving the block closes them."""
    # one loop for all: the stages' child processes and model threads belong to it
    with asyncio.Runner() as runner:
        stages = [build_stage(name, project, settings) for name in STAGE_INPUTS]
        try:
            yield stages, runner
        finally:
            for stage in stages:
                runner.run(stage.aclose())
