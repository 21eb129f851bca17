"""The demo without a broker: the same stages in this process, the same tables in chdb."""

import asyncio
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from consumers.accounting import Accounts, close_accounts, flows_of_run
from consumers.clickhouse.engine import embedded
from consumers.clickhouse.insert import Tables
from consumers.clickhouse.named_queries import Answer, NamedQuery, ask
from consumers.clickhouse.rows import row
from consumers.clickhouse.tables import TABLES
from examples.harbor.demo.backend import E, Watch
from infra.settings import Settings
from schemas.events import TOPICS, Event, Preference
from streams.local import LocalRun, run_local
from streams.pipeline import build_stage
from streams.stage import Stage
from streams.topology import STAGE_INPUTS
from trainer.freeze import LogSlice

_CONCURRENCY = 64


class LocalBackend:
    """Stages in memory, in one event loop. See ``running_in_process``."""

    description = "stages in this process (no Kafka), ClickHouse (embedded)"

    def __init__(
        self, settings: Settings, stages: list[Stage[Any]], runner: asyncio.Runner
    ) -> None:
        self.settings = settings
        self._stages = stages
        self._runner = runner
        self._inputs: list[Event] = []
        self._run = LocalRun(taken={stage: [] for stage in STAGE_INPUTS})

    def publish(self, events: Iterable[Event]) -> None:
        for event in events:
            if self._run.add(event) and isinstance(event, tuple(STAGE_INPUTS.values())):
                self._inputs.append(event)

    def settle(self, watch: Watch) -> None:
        left = dict.fromkeys(STAGE_INPUTS, 0) | {"sample": len(self._inputs)}

        def count(_: Event) -> None:
            watch(left)

        inputs, self._inputs = self._inputs, []
        made = self._runner.run(
            run_local(self._stages, inputs, concurrency=_CONCURRENCY, on_event=count)
        )
        for stage, taken in made.taken.items():
            self._run.taken[stage] += taken
        for events in made.outputs.values():
            for event in events:
                self._run.add(event)

    def events(self, kind: type[E]) -> list[E]:
        return [e for e in self._run.outputs.get(TOPICS[kind], []) if isinstance(e, kind)]

    def log_slice(self) -> LogSlice:
        return LogSlice(preferences=self.events(Preference))

    def accounts(self) -> Accounts:
        return close_accounts(flows_of_run(self._run))

    def ask(self, query: NamedQuery) -> Answer:
        with embedded(self.settings.data_dir) as client:
            tables = Tables(client)
            for table in TABLES.values():
                rows = [row(event) for event in self._run.outputs.get(table.topic, [])]
                # the same token for the same rows: asking again inserts nothing
                tables.insert(table, rows, f"local:{table.topic}:{len(rows)}")
            return ask(client, query, {})


@contextmanager
def running_in_process(settings: Settings, project: Path) -> Iterator[LocalBackend]:
    """Build every stage of the project here; leaving the block closes them."""
    # one loop for all: the stages' child processes and model threads belong to it
    with asyncio.Runner() as runner:
        stages = [build_stage(name, project, settings) for name in STAGE_INPUTS]
        try:
            yield LocalBackend(settings, stages, runner)
        finally:
            for stage in stages:
                runner.run(stage.aclose())
