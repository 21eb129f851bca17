"""DuckDB, read-only and locked, with its own parser as a second opinion on every query."""

from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import duckdb

from streams.verify.sandbox.database import COPY_SUFFIX
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
        self._attached: str | None = None
        if path.endswith(COPY_SUFFIX):
            # One engine for all copies: attaching takes 1 ms, an engine of its own 10.
            self._connection = _engine_of_copies(str(Path(path).parent), limits).cursor()
            self._attached = '"' + Path(path).stem.replace('"', '""') + '"'
            self._connection.execute(f"ATTACH '{_escaped(path)}' AS {self._attached} (READ_ONLY)")
        else:
            self._connection = _open(path, limits, read_only=True)

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
        if self._attached is not None:
            cursor.execute(f"USE {self._attached}")
        cursor.execute("SELECT json_serialize_sql(?::VARCHAR)", [sql])
        for (parsed,) in cursor.fetchall():
            refuse(parsed, tables)
        cursor.execute(sql)
        return tuple(column[0] for column in cursor.description or ()), _chunks(cursor)

    def close(self) -> None:
        """Close the file."""
        if self._attached is not None:
            self._connection.execute(f"DETACH {self._attached}")
        self._connection.close()


def _open(path: str, limits: Limits, *settings: str, read_only: bool) -> duckdb.DuckDBPyConnection:
    config = {**_HARDENED, "max_execution_time": int(limits.wall_s * 1000)}
    connection = duckdb.connect(path, read_only=read_only, config=config)
    # In this order: after the last, nothing can be set any more.
    for setting in (
        "temp_directory=''",
        *settings,
        "enable_external_access=false",
        "lock_configuration=true",
    ):
        connection.execute(f"SET {setting}")
    return connection


@cache
def _engine_of_copies(folder: str, limits: Limits) -> duckdb.DuckDBPyConnection:
    """An engine that may open files of the folder, and none else."""
    allowed = f"allowed_directories=['{_escaped(folder)}/']"
    return _open(":memory:", limits, allowed, read_only=False)


def _escaped(path: str) -> str:
    return path.replace("'", "''")


def _chunks(cursor: Any) -> Iterator[list[tuple[object, ...]]]:
    try:
        while rows := cursor.fetchmany(256):
            yield rows
    finally:
        cursor.close()
