"""The demo on the real thing: a broker, a worker process a stage, and the ClickHouse sink."""

import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

from consumers.accounting import Accounts, close_accounts
from consumers.clickhouse.lag import wait_caught_up
from consumers.clickhouse.named_queries import Answer, NamedQuery, ask
from consumers.clickhouse.stage_flows import flows_of_tables
from examples.harbor.demo.backend import E, Watch
from infra.clickhouse import client
from infra.plan import is_ready, sink_process, worker_process
from infra.process import ProcessFailed
from infra.publish import publish
from infra.settings import Settings
from infra.stack import Stack
from infra.topic_log import read, snapshot
from schemas.events import TOPICS, Event
from streams.lag import pending_by_stage
from streams.topology import STAGE_INPUTS
from trainer.freeze import LogSlice
from trainer.log_slice import read_preferences

# A model worker imports torch and loads weights, all workers at once on two cores.
_READY_S = 120.0
_LOOK_S = 0.5
_SINK_CATCH_UP_S = 120.0


class KafkaBackend:
    """Stages as worker processes of consumer groups. See ``running_on_kafka``."""

    description = "Kafka, a worker process a stage, ClickHouse (embedded)"

    def __init__(self, stack: Stack) -> None:
        self._stack = stack
        self.settings = stack.settings

    def publish(self, events: Iterable[Event]) -> None:
        publish(self.settings, events)

    def settle(self, watch: Watch) -> None:
        while True:
            for name, process in self._stack.processes.items():
                if process.exit_code is not None:
                    raise ProcessFailed(
                        f"{name} ended with exit code {process.exit_code}: {process.log_tail()}"
                    )
            pending = pending_by_stage(self.settings)
            watch(pending)
            if not any(pending.values()):
                break
            time.sleep(_LOOK_S)
        wait_caught_up(self.settings, _SINK_CATCH_UP_S)

    def events(self, kind: type[E]) -> list[E]:
        first: dict[str, E] = {}
        for logged in read(self.settings, snapshot(self.settings, TOPICS[kind])):
            if isinstance(logged.event, kind):
                first.setdefault(logged.event.event_id, logged.event)
        return list(first.values())

    def log_slice(self) -> LogSlice:
        return read_preferences(self.settings)

    def accounts(self) -> Accounts:
        with client(self.settings) as connection:
            return close_accounts(flows_of_tables(self.settings, connection))

    def ask(self, query: NamedQuery) -> Answer:
        with client(self.settings) as connection:
            return ask(connection, query, {})


@contextmanager
def running_on_kafka(settings: Settings, project: Path) -> Iterator[KafkaBackend]:
    """Start the stack with every stage of the project; leaving the block stops all of it."""
    with Stack(settings) as stack:
        stack.start_kafka()
        planned = [sink_process(stack.settings)]
        planned += [worker_process(stage, project) for stage in STAGE_INPUTS]
        started = [(one, stack.start(one.spec)) for one in planned]
        for one, process in started:
            process.wait_ready(partial(is_ready, stack.settings, one), _READY_S)
        yield KafkaBackend(stack)
