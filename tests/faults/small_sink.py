"""The sink with small blocks, so that a kill falls between plan, insert and commit of one; and a
view that, unlike the tables, would show a block that was inserted twice.

    python -m tests.faults.small_sink
"""

from dataclasses import replace

import cli.sink
from consumers.clickhouse.engine import embedded
from consumers.clickhouse.plan import BlockLimits
from infra.settings import Settings
from infra.telemetry import set_up_logging

LIMITS = replace(BlockLimits(), rows=100)
ARRIVALS = (
    "CREATE TABLE IF NOT EXISTS arrivals (kafka_partition UInt32, kafka_offset Int64, "
    "output_length Int64) ENGINE = MergeTree ORDER BY (kafka_partition, kafka_offset) "
    "SETTINGS non_replicated_deduplication_window = 10000",
    "CREATE MATERIALIZED VIEW IF NOT EXISTS arrivals_view TO arrivals AS "
    "SELECT kafka_partition, kafka_offset, output_length FROM completions",
)


def add_view(settings: Settings) -> None:
    """Make the view, in this process (an engine has one), before any sink runs."""
    from consumers.clickhouse.insert import Tables

    with embedded(settings.data_dir) as client:
        Tables(client)
        for statement in ARRIVALS:
            client.command(statement)


if __name__ == "__main__":
    found = Settings()
    set_up_logging(found)
    if not (found.data_dir / "clickhouse").exists():
        add_view(found)
    cli.sink.run_embedded(found, "embedded", limits=LIMITS)
