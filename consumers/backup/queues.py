"""The review database as lines of JSON, the same whatever database it came from."""

import json
from collections.abc import Iterable, Iterator

from sqlalchemy import Engine, func, insert, select, text

from consumers.review.tables import COMPARISONS, ITEMS, METADATA, PEOPLE, SESSIONS, TURN, take_turn
from schemas.errors import ConfigError

# A session is a few hours long and opens the pages: nobody wants it back.
_LEFT_OUT = {SESSIONS, TURN}
TABLES = tuple(table for table in METADATA.sorted_tables if table not in _LEFT_OUT)
_BATCH = 500


def dump(engine: Engine) -> Iterator[bytes]:
    """A line a row, of one moment: changes of the queues wait until the last line was taken."""
    with engine.begin() as connection:
        take_turn(connection)
        for table in TABLES:
            # Rows that name others come after them, in whatever order these are in.
            for row in connection.execute(select(table)).mappings():
                yield json.dumps({"table": table.name, "row": dict(row)}).encode() + b"\n"


def load(engine: Engine, lines: Iterable[bytes]) -> dict[str, int]:
    """Put a dump into an empty database, all of it or nothing; how many rows went into each table.

    Raises ``ConfigError`` where the database holds people, items or comparisons already.
    """
    counts = {table.name: 0 for table in TABLES}
    by_name = {table.name: table for table in TABLES}
    with engine.begin() as connection:
        take_turn(connection)
        for table in (PEOPLE, ITEMS, COMPARISONS):
            if n := connection.execute(select(func.count()).select_from(table)).scalar_one():
                raise ConfigError(
                    f"the review database holds {n} {table.name} already, and a backup goes into "
                    "an empty one; move its file away, or name another by "
                    "PREFSTREAM_REVIEW_DATABASE_URL"
                )
        for name, rows in _batches(lines):
            connection.execute(insert(by_name[name]), rows)
            counts[name] += len(rows)
        if engine.dialect.name == "postgresql":
            # The rows came with their ids; the next item must not be given one of them.
            connection.execute(
                text(
                    "SELECT setval(pg_get_serial_sequence('items', 'id'), "
                    "(SELECT coalesce(max(id), 0) + 1 FROM items), false)"
                )
            )
    return counts


def _batches(lines: Iterable[bytes]) -> Iterator[tuple[str, list[dict[str, object]]]]:
    name, rows = "", list[dict[str, object]]()
    for line in lines:
        found = json.loads(line)
        if rows and (found["table"] != name or len(rows) == _BATCH):
            yield name, rows
            rows = []
        name = found["table"]
        rows.append(found["row"])
    if rows:
        yield name, rows
