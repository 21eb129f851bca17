"""`prefstream sink`: every topic into ClickHouse."""

import os
import signal
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from consumers.clickhouse.insert import Tables
    from consumers.clickhouse.plan import BlockLimits
    from infra.settings import Settings

# With the embedded engine there is one sink, so its name can be fixed.
_EMBEDDED_INSTANCE = "embedded"


def sink(
    instance: Annotated[
        str | None,
        typer.Option(
            help="A name that stays over restarts and no other running sink has: a killed sink "
            "then goes on at once. Only for sinks on a ClickHouse server; the embedded one has it."
        ),
    ] = None,
    port: Annotated[
        int, typer.Option(min=0, max=65535, help="Loopback port of the HTTP front; 0 = any free.")
    ] = 0,
) -> None:
    """Write every topic into its ClickHouse table, each event once.

    Without PREFSTREAM_CLICKHOUSE_URL this process owns the embedded engine (chdb) in the data
    folder, and answers everyone else's queries on a loopback port.

    [bold]Examples[/bold]

      prefstream sink
      PREFSTREAM_CLICKHOUSE_URL=http://user:pw@ch:8123/prefstream prefstream sink --instance a
    """
    from infra.settings import Settings
    from infra.telemetry import set_up_logging

    settings = Settings()
    set_up_logging(settings)
    if settings.clickhouse_url:
        run_on_server(settings, instance)
    else:
        run_embedded(settings, instance or _EMBEDDED_INSTANCE, port)


def run_embedded(
    settings: "Settings", instance: str, port: int = 0, limits: "BlockLimits | None" = None
) -> None:
    """Own the embedded engine, announce its front, and write until SIGTERM."""
    from consumers.clickhouse.engine import embedded, engine_path
    from consumers.clickhouse.front import Front
    from consumers.clickhouse.insert import Tables
    from infra.clickhouse import announce
    from infra.process_identity import start_mark
    from infra.stack_state import ClickHouseState

    with embedded(settings.data_dir) as client:
        tables = Tables(client)
        front = Front(engine_path(settings.data_dir), port)
        pid = os.getpid()
        owner = ClickHouseState(url=front.url, pid=pid, started=start_mark(pid) or "")
        announce(settings, owner)
        try:
            _write(settings, tables, instance, limits)
        finally:
            announce(settings, None)
            front.close()


def run_on_server(settings: "Settings", instance: str | None) -> None:
    """Write to the configured server until SIGTERM."""
    from consumers.clickhouse.engine import server
    from consumers.clickhouse.insert import Tables

    with server(settings) as client:
        _write(settings, Tables(client), instance)


def _write(
    settings: "Settings",
    tables: "Tables",
    instance: str | None,
    limits: "BlockLimits | None" = None,
) -> None:
    from consumers.clickhouse.sink import Sink

    writer = Sink(settings, tables, instance=instance, limits=limits)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: writer.stop())
    writer.run()
