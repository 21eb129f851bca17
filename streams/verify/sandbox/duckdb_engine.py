"""DuckDB, read-only and locked, with its own parser as a second opinion on every query."""

from collections.abc import Iterator
from typing import Any

import duckdb

from streams.verify.sandbox.duckdb_parse import refuse
from streams.verify.sandbox.limits import Limits

_HARDENED: dict[str, str | bool | int | float | list[str]] = {
    "threads": 1,
    "async_threads": 0,
    "memory_limit": "512MB",
    "max_temp_directory_size": "0MB",
    "autoinstall_known_extensions": False,
    "autoload_known_extensions": False,
    "allow_community_extensions": False,
    "allow_unsigned_extensions": False,
    "allow_persistent_secrets": False,
    "python_enable_replacements": False,
    "max_expression_depth": 250,
    "pivot_limit": 1000,
}


Result = tuple[tuple[str, ...], Iterator[list[tuple[object, ...]]]]
"""Column names, and the rows in chunks."""


class DuckdbEngine:
    """One database file, open for reading."""

    def __init__(self, path: str, limits: Limits) -> None:
        """Raises duckdb.Error where the file cannot be opened."""
        config = {**_HARDENED, "max_execution_time": int(limits.wall_s * 1000)}
        self._connection = duckdb.connect(path, read_only=True, config=config)
        # In this order: after the last, nothing can be set any more.
        for setting in (
            "temp_directory=''",
            "enable_external_access=false",
            "lock_configuration=true",
        ):
            self._connection.execute(f"SET {setting}")

    def schema(self) -> Iterator[tuple[str, str]]:
        """Every (table, column) of the file, views included. Trusted: called before any query."""
        yield from self._connection.execute(
            "SELECT table_name, column_name FROM duckdb_columns() WHERE NOT internal"
        ).fetchall()

    def run(self, sql: str, tables: frozenset[str]) -> Result:
        """Columns and rows, of these tables only; raises duckdb.Error, or PermissionError where
        DuckDB's parser sees what the gate did not.
        """
        cursor = self._connection.cursor()
        cursor.execute("SELECT json_serialize_sql(?::VARCHAR)", [sql])
        for (parsed,) in cursor.fetchall():
            refuse(parsed, tables)
        cursor.execute(sql)
        return tuple(column[0] for column in cursor.description or ()), _chunks(cursor)

    def close(self) -> None:
        """Close the file."""
        self._connection.close()


def _chunks(cursor: Any) -> Iterator[list[tuple[object, ...]]]:
    try:
        while rows := cursor.fetchmany(256):
            yield rows
    finally:
        cursor.close()
