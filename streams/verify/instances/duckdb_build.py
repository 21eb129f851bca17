"""Copies as DuckDB files."""

import contextlib
import re
import threading
from collections.abc import Sequence
from pathlib import Path

import duckdb

from streams.verify.instances.draw import Rows
from streams.verify.instances.shape import Shape, Table
from streams.verify.sandbox.result import Row, Value

_SCHEMA = re.compile(r'CREATE TABLE ("(?:[^"]|"")+")\.')


class DuckdbBuilder:
    """Writes copies, from any thread, through one engine: a new one would cost 10 ms a copy."""

    def __init__(self) -> None:
        self._engine: duckdb.DuckDBPyConnection | None = None
        self._lock = threading.Lock()
        self._built = 0

    def build(self, path: Path, shape: Shape, rows: Rows) -> None:
        """Write the file; raises duckdb.Error where a table cannot be made again."""
        with self._lock:
            if self._engine is None:
                self._engine = duckdb.connect(":memory:", config={"threads": 1})
            self._built += 1
            name = f"made_{self._built}"
            with self._engine.cursor() as connection:
                # the smallest block: with the default one an empty file takes a megabyte
                place = str(path).replace("'", "''")
                connection.execute(f"ATTACH '{place}' AS {name} (BLOCK_SIZE 16384)")
                try:
                    connection.execute(f"USE {name}")
                    _fill(connection, shape, rows)
                finally:
                    connection.execute("USE memory")
                    connection.execute(f"DETACH {name}")

    def close(self) -> None:
        """End the engine."""
        with self._lock:
            if self._engine is not None:
                self._engine.close()
                self._engine = None


def _fill(connection: duckdb.DuckDBPyConnection, shape: Shape, rows: Rows) -> None:
    connection.execute("BEGIN")
    for name, table in shape.tables.items():
        schema = _SCHEMA.match(table.create)
        if schema is not None:
            connection.execute(f"CREATE SCHEMA IF NOT EXISTS {schema[1]}")
        connection.execute(table.create)
        _insert(connection, table, rows.get(name, ()))
    connection.execute("COMMIT")
    for create in shape.views.values():
        # One that needs what is not copied (a macro, an attached file) is missed only where a
        # query reads it, and that query then says so.
        with contextlib.suppress(duckdb.Error):
            connection.execute(create)


def _insert(connection: duckdb.DuckDBPyConnection, table: Table, rows: Sequence[Row]) -> None:
    if not rows:
        return
    columns = ", ".join('"' + column.name.replace('"', '""') + '"' for column in table.columns)
    # A text planted in a column of numbers is a NULL there, and not the end of the copy. Lists of
    # texts are four times quicker than a parameter for each value.
    cast = ", ".join(f"TRY_CAST(c{n} AS {column.type})" for n, column in enumerate(table.columns))
    lists = ", ".join(f"unnest(?::VARCHAR[]) AS c{n}" for n in range(len(table.columns)))
    connection.execute(
        f"INSERT INTO {table.name} ({columns}) SELECT {cast} FROM (SELECT {lists})",
        [[_text(value) for value in values] for values in zip(*rows, strict=True)],
    )


def _text(value: Value) -> str | None:
    """As DuckDB reads it in a cast."""
    if value is None:
        return None
    if isinstance(value, bytes):
        return "".join(f"\\x{byte:02X}" for byte in value)
    return str(value)
