"""Copies as DuckDB files."""

import contextlib
import re
import shutil
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path

import duckdb

from streams.verify.instances.draw import Rows
from streams.verify.instances.shape import Shape, Table
from streams.verify.sandbox.result import Row, Value

_SCHEMA = re.compile(r'CREATE TABLE ("(?:[^"]|"")+")\.')


class DuckdbBuilder:
    """Writes copies, from any thread, through one engine: a new one would cost 10 ms a copy.

    All copies of a database start as its empty file: making tables and views anew for each would
    take as long as the rows.
    """

    def __init__(self) -> None:
        self._engine: duckdb.DuckDBPyConnection | None = None
        self._empty: dict[tuple[Path, tuple[str, ...]], Path] = {}
        self._lock = threading.Lock()
        self._attached = 0

    def build(self, path: Path, shape: Shape, rows: Rows) -> None:
        """Write the file; raises duckdb.Error where a table cannot be made again."""
        with self._lock:
            shutil.copyfile(self._empty_file(path.parent, shape), path)
            with self._writing(path) as connection:
                connection.execute("BEGIN")
                for name, table in shape.tables.items():
                    _insert(connection, table, rows.get(name, ()))
                connection.execute("COMMIT")

    def close(self) -> None:
        """End the engine."""
        with self._lock:
            if self._engine is not None:
                self._engine.close()
                self._engine = None

    def _empty_file(self, folder: Path, shape: Shape) -> Path:
        tables = (table.create for table in shape.tables.values())
        key = (folder, (*tables, *shape.views.values()))
        if key not in self._empty:
            path = folder / f"empty-{len(self._empty)}"
            path.unlink(missing_ok=True)
            with self._writing(path) as connection:
                _create(connection, shape)
            self._empty[key] = path
        return self._empty[key]

    @contextlib.contextmanager
    def _writing(self, path: Path) -> Iterator[duckdb.DuckDBPyConnection]:
        if self._engine is None:
            self._engine = duckdb.connect(":memory:", config={"threads": 1})
        self._attached += 1
        name = f"made_{self._attached}"
        with self._engine.cursor() as connection:
            # the smallest block: with the default one an empty file takes a megabyte
            place = str(path).replace("'", "''")
            connection.execute(f"ATTACH '{place}' AS {name} (BLOCK_SIZE 16384)")
            try:
                connection.execute(f"USE {name}")
                yield connection
            finally:
                connection.execute("USE memory")
                connection.execute(f"DETACH {name}")


def _create(connection: duckdb.DuckDBPyConnection, shape: Shape) -> None:
    for table in shape.tables.values():
        schema = _SCHEMA.match(table.create)
        if schema is not None:
            connection.execute(f"CREATE SCHEMA IF NOT EXISTS {schema[1]}")
        connection.execute(table.create)
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
