"""The demo without a broker: the same stages in this process, the same tables in chdb."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from consumers.accounting import Accounts, close_accounts, flows_of_run
from consumers.clickhouse.engine import embedded
from consumers.clickhouse.insert import Tables
from consumers.clickhouse.named_queries import Answer, NamedQuery, ask
from consumers.clickhouse.rows import row
from consumers.clickhouse.tables import TABLES
from infra.settings import Settings
from trainer.local_topics import LocalTopics, stages_of


class LocalBackend(LocalTopics):
    """Stages in memory, in one event loop. See ``running_in_process``."""

    description = "stages in this process (no Kafka), ClickHouse (embedded)"

    def accounts(self) -> Accounts:
        """Where every event of every stage has gone."""
        return close_accounts(flows_of_run(self.run))

    def ask(self, query: NamedQuery) -> Answer:
        """The answer of a named query, from ClickHouse."""
        with embedded(self.settings.data_dir) as client:
            tables = Tables(client)
            for table in TABLES.values():
                rows = [row(event) for event in self.run.outputs.get(table.topic, [])]
                # the same token for the same rows: asking again inserts nothing
                tables.insert(table, rows, f"local:{table.topic}:{len(rows)}")
            return ask(client, query, {})


@contextmanager
def running_in_process(settings: Settings, project: Path) -> Iterator[LocalBackend]:
    """Build every stage of the project here; leaving the block closes them."""
    with stages_of(settings, project) as (stages, runner):
        yield LocalBackend(settings, stages, runner)
