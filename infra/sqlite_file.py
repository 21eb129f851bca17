"""A small SQLite file that several workers of a machine share, one statement at a time."""

import sqlite3
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from schemas.errors import Fatal

# Another worker's write takes milliseconds; a lock held this long is a fault worth stopping for.
_BUSY_TIMEOUT_S: Final = 30.0

Value = str | int | float | None


class SqliteFile:
    """One table in one file, made where it is missing.

    Safe to call from several threads; a call blocks for the time of a small read or write.
    ``what`` names the file in errors. Raises ``Fatal`` where the file cannot be used.
    """

    def __init__(self, path: Path | None, table: str, *, what: str) -> None:
        """Open or create the file; without a path the rows live as long as this object.

        ``table`` is a CREATE TABLE IF NOT EXISTS.
        """
        self._shown = f"the {what} {path or 'in memory'}"
        self._lock = threading.Lock()
        try:
            if path is not None:
                path.parent.mkdir(parents=True, exist_ok=True)
            self._connection = sqlite3.connect(
                path or ":memory:",
                timeout=_BUSY_TIMEOUT_S,
                isolation_level=None,  # every statement is its own transaction
                check_same_thread=False,
            )
            # WAL survives a killed process; only power loss can take the last few rows.
            self._connection.execute("PRAGMA journal_mode=WAL")
            self._connection.execute("PRAGMA synchronous=NORMAL")
            self._connection.execute(table)
        except (OSError, sqlite3.Error) as error:
            raise self._unusable(error) from None

    def execute(self, statement: str, values: Sequence[Value] = ()) -> tuple[Value, ...] | None:
        """Run one statement; returns its first row, or None."""
        try:
            with self._lock:
                row: tuple[Value, ...] | None = self._connection.execute(
                    statement, values
                ).fetchone()
        except sqlite3.Error as error:
            raise self._unusable(error) from None
        return row

    def close(self) -> None:
        """Close the file; closing twice is fine. A call that comes later raises ``Fatal``."""
        # Not in the middle of another thread's statement: that ends the whole process.
        with self._lock:
            self._connection.close()

    def _unusable(self, error: Exception) -> Fatal:
        return Fatal(
            f"{self._shown} cannot be used: {error}; "
            "check the folder's rights and free space, or move the file away if it is damaged"
        )
