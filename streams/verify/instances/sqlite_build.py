"""A copy as a SQLite file."""

import sqlite3
from collections.abc import Iterable
from contextlib import closing
from pathlib import Path

from streams.verify.instances.draw import Rows
from streams.verify.instances.shape import Shape, Table
from streams.verify.sandbox.result import Row


def build_sqlite(path: Path, shape: Shape, rows: Rows) -> None:
    """Write the file; raises sqlite3.Error where a table or view cannot be made again."""
    # In memory first and written as one piece: a file of its own would be synced page by page.
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as connection:
        connection.execute("PRAGMA ignore_check_constraints = ON").close()
        connection.execute("BEGIN")
        for name, table in shape.tables.items():
            connection.execute(table.create)
            _insert(connection, table, rows.get(name, ()))
        for create in shape.views.values():
            connection.execute(create)
        connection.execute("COMMIT")
        path.write_bytes(connection.serialize())


def _insert(connection: sqlite3.Connection, table: Table, rows: Iterable[Row]) -> None:
    columns = ", ".join(_quoted(column.name) for column in table.columns)
    marks = ", ".join("?" * len(table.columns))
    # A row that breaks a constraint we do not know of is left out.
    connection.executemany(
        f"INSERT OR IGNORE INTO {_quoted(table.name)} ({columns}) VALUES ({marks})", rows
    )


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
