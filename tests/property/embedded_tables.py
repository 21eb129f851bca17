"""Real tables in chdb, in a child process: an engine has one process, and a process one engine."""

from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from multiprocessing import get_context
from pathlib import Path
from typing import Any

from consumers.clickhouse.engine import embedded
from consumers.clickhouse.insert import Tables, decode
from consumers.clickhouse.tables import TABLES
from schemas.codec import Codec
from schemas.events import TOPICS, Event
from streams.runner.dead_letter import Arrival

ARRIVED = datetime(2026, 11, 1, 12, 0, 0, 123000, tzinfo=UTC)
_open: list[Any] = []
_exit = ExitStack()


@contextmanager
def embedded_tables(data_dir: Path) -> Iterator[ProcessPoolExecutor]:
    """The child; submit functions of this module to it."""
    with ProcessPoolExecutor(
        1, mp_context=get_context("spawn"), initializer=_start, initargs=(data_dir,)
    ) as child:
        yield child


def arrivals(events: Sequence[Event], first: int = 0) -> list[Arrival]:
    """The events as they come from a topic of one type of event."""
    codec = Codec()
    return [
        Arrival(
            topic=TOPICS[type(event)],
            partition=0,
            offset=first + n,
            at=ARRIVED,
            key=None,
            value=codec.encode(event),
        )
        for n, event in enumerate(events)
    ]


def stored(event: Event, names: Sequence[str], offset: int) -> dict[str, Any]:
    """The columns of the row that the event has after it came at this offset."""
    client, tables = _open
    table = TABLES[TOPICS[type(event)]]
    decoded = decode(Codec(), table, "uuid", arrivals([event], offset))
    tables.insert(table, decoded.rows, f"uuid:0:{offset}-{offset}")
    columns = ", ".join(f"`{name}`" for name in names)
    result = client.query(f"SELECT {columns} FROM {table.name} WHERE kafka_offset = {offset}")
    return dict(zip(names, result.result_rows[0], strict=True))


def first_rows(events: Sequence[Event], offset: int, merge: bool) -> dict[str, str]:
    """``event`` by id from the deduplicated view, after each came as a block of its own, some of
    them twice; ``offset`` is the first one's, and all are of one workload."""
    client, tables = _open
    table = TABLES[TOPICS[type(events[0])]]
    for arrival in arrivals(events, offset):
        for _ in range(1 + arrival.offset % 2):
            token = f"uuid:0:{arrival.offset}-{arrival.offset}"
            tables.insert(table, decode(Codec(), table, "uuid", [arrival]).rows, token)
    if merge:
        client.command(f"OPTIMIZE TABLE {table.name} FINAL")
    sql = f"SELECT event_id, event FROM {table.first} WHERE workload_id = {{workload:String}}"
    return dict(client.query(sql, parameters={"workload": events[0].workload_id}).result_rows)


def described(table: str) -> list[str]:
    """The columns that an insert must give."""
    client, _ = _open
    result = client.query(f"DESCRIBE TABLE {table}").result_rows
    return [name for name, _, default, *_ in result if default != "MATERIALIZED"]


def _start(data_dir: Path) -> None:
    # Left open: the child ends with its pool.
    opened = _exit.enter_context(embedded(data_dir))
    _open.extend((opened, Tables(opened)))
