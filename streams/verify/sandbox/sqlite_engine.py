"""SQLite, read-only, with an authorizer that knows nothing but reading the allowed tables."""

import sqlite3
import time
from collections.abc import Iterator

from streams.verify.sandbox.limits import Limits
from streams.verify.sql_functions import ALLOWED

_HEAP_BYTES = 256 * 1024**2
_VALUE_BYTES = 8 * 1024**2
# Every so many virtual machine steps SQLite asks whether it may go on: about 1 ms.
_STEPS = 20_000


Result = tuple[tuple[str, ...], Iterator[list[tuple[object, ...]]]]
"""Column names, and the rows in chunks."""


class SqliteEngine:
    """One database file, open for reading."""

    def __init__(self, path: str, limits: Limits) -> None:
        """Raises sqlite3.Error where the file cannot be opened."""
        self._tables = frozenset[str]()
        self._limits = limits
        self._deadline = 0.0
        self._connection = sqlite3.connect(
            f"file:{_quoted(path)}?mode=ro&immutable=1", uri=True, cached_statements=0
        )
        # Text that is no UTF-8 still compares exactly.
        self._connection.text_factory = lambda raw: raw.decode("utf-8", "surrogateescape")
        for pragma in (
            "query_only=ON",
            "trusted_schema=OFF",
            "cell_size_check=ON",
            "temp_store=MEMORY",
            f"hard_heap_limit={_HEAP_BYTES}",
        ):
            self._connection.execute(f"PRAGMA {pragma}").close()
        self._connection.execute("SELECT 1 FROM sqlite_master LIMIT 1").fetchone()
        for limit, value in (
            (sqlite3.SQLITE_LIMIT_LENGTH, _VALUE_BYTES),
            (sqlite3.SQLITE_LIMIT_SQL_LENGTH, limits.sql_bytes),
            (sqlite3.SQLITE_LIMIT_EXPR_DEPTH, 250),
            (sqlite3.SQLITE_LIMIT_COMPOUND_SELECT, 100),
            (sqlite3.SQLITE_LIMIT_ATTACHED, 0),
            (sqlite3.SQLITE_LIMIT_LIKE_PATTERN_LENGTH, 1000),
            (sqlite3.SQLITE_LIMIT_WORKER_THREADS, 0),
        ):
            self._connection.setlimit(limit, value)

    def schema(self) -> Iterator[tuple[str, str]]:
        """Every (table, column) of the file, views included: our own query, under no authorizer."""
        self._connection.set_authorizer(None)
        self._connection.set_progress_handler(None, 0)
        yield from self._connection.execute(
            "SELECT m.name, p.name FROM sqlite_master m, pragma_table_info(m.name) p "
            "WHERE m.type IN ('table', 'view') AND m.name NOT LIKE 'sqlite\\_%' ESCAPE '\\'"
        )

    def run(self, sql: str, tables: frozenset[str]) -> Result:
        """Columns and rows, of these tables only; raises sqlite3.Error as SQLite does."""
        self._tables = tables
        self._deadline = time.monotonic() + self._limits.wall_s
        self._connection.set_authorizer(self._may)
        self._connection.set_progress_handler(self._is_late, _STEPS)
        cursor = self._connection.execute(sql)
        columns = tuple(column[0] for column in cursor.description or ())
        return columns, _chunks(cursor)

    def close(self) -> None:
        """Close the file."""
        self._connection.close()

    def _is_late(self) -> bool:
        return time.monotonic() > self._deadline

    def _may(
        self, action: int, first: str | None, second: str | None, _: str | None, view: str | None
    ) -> int:
        if action in (sqlite3.SQLITE_SELECT, sqlite3.SQLITE_RECURSIVE):
            return sqlite3.SQLITE_OK
        if action == sqlite3.SQLITE_READ and self._is_allowed(first, second, view):
            return sqlite3.SQLITE_OK
        if action == sqlite3.SQLITE_FUNCTION and (second or "").lower() in ALLOWED["sqlite"]:
            return sqlite3.SQLITE_OK
        return sqlite3.SQLITE_DENY

    def _is_allowed(self, table: str | None, column: str | None, view: str | None) -> bool:
        if not column:  # rows are counted only, maybe those of a CTE, which has no entry in tables
            return not (table or "").lower().startswith(("sqlite_", "pragma_"))
        # A view may read what it was made from; a CTE shows here as a view too, but the gate lets
        # none carry an allowed name.
        return any(name is not None and name.lower() in self._tables for name in (table, view))


def _quoted(path: str) -> str:
    return path.replace("%", "%25").replace("?", "%3f").replace("#", "%23")


def _chunks(cursor: sqlite3.Cursor) -> Iterator[list[tuple[object, ...]]]:
    while rows := cursor.fetchmany(256):
        yield rows
