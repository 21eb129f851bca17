"""The demo on the real thing: a broker, a worker process a stage, and the ClickHouse sink."""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

from consumers.accounting import Accounts, close_accounts
from consumers.clickhouse.lag import wait_caught_up
from consumers.clickhouse.named_queries import Answer, NamedQuery, ask
from consumers.clickhouse.stage_flows import flows_of_tables
from examples.harbor.demo.backend import Watch
from examples.harbor.demo.preload import preload
from infra.clickhouse import client
from infra.plan import is_ready, sink_process, worker_process
from infra.process import ProcessFailed
from infra.settings import Settings
from infra.stack import Stack
from streams.topology import STAGE_INPUTS
from trainer.stack_topics import StackTopics

# A model worker imports torch and loads weights, all workers at once on two cores.
_READY_S = 120.0
_SINK_CATCH_UP_S = 120.0


class KafkaBackend(StackTopics):
    """Stages as worker processes of consumer groups. See ``running_on_kafka``."""

    description = "Kafka, a worker process a stage, ClickHouse (embedded)"

    def __init__(self, stack: Stack) -> None:
        super().__init__(stack.settings)
        self._stack = stack

    def settle(self, watch: Watch) -> None:
        """The tables have caught up too."""
        super().settle(watch)
        wait_caught_up(self.settings, _SINK_CATCH_UP_S)

    def check(self) -> None:
        """Raises ``ProcessFailed`` where a worker has ended."""
        for name, process in self._stack.processes.items():
            if process.exit_code is not None:
                raise ProcessFailed(
                    f"{name} ended with exit code {process.exit_code}: {process.log_tail()}"
                )

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
        preload()
        stack.start_kafka()
        planned = [sink_process(stack.settings)]
        planned += [worker_process(stage, project) for stage in STAGE_INPUTS]
        started = [(one, stack.start(one.spec)) for one in planned]
        for one, process in started:
            process.wait_ready(partial(is_ready, stack.settings, one), _READY_S)
        yield KafkaBackend(stack)
