"""Any warehouse whose driver speaks Python's database interface (PEP 249), ADBC's among them.

What keeps a hostile query harmless here: the gate, the role that the connection string names (give
it SELECT on the allowed views and nothing else), the statements of ``session`` (a read-only one, a
statement timeout), a transaction that is always rolled back, and the child around it.
"""

import importlib
import json
from collections.abc import Generator, Sequence
from typing import Any

_FETCHED = 256

_Chunks = Generator[list[tuple[object, ...]], None, None]
Result = tuple[tuple[str, ...], _Chunks]
"""Column names, and the rows in chunks."""


class DbApiEngine:
    """One connection of one driver."""

    timed_out = False

    def __init__(
        self, driver: str, dsn: str, session: Sequence[str], columns_query: str, state_query: str
    ) -> None:
        """``dsn`` is what the driver's ``connect`` takes: a text, or a JSON object of named
        arguments. Raises what the driver raises, and OSError where there is no such driver.
        """
        try:
            module = importlib.import_module(driver)
        except ImportError:
            raise OSError(f"no driver {driver}; install it where the worker runs") from None
        named = dsn.lstrip().startswith("{")
        self._connection: Any = module.connect(**json.loads(dsn)) if named else module.connect(dsn)
        self._columns_query = columns_query
        self._state_query = state_query
        self.state = ""
        """What ``state_query`` gave before the last query: equal where it saw the same data."""
        self.is_lost = False
        for statement in session:
            cursor = self._connection.cursor()
            cursor.execute(statement)
            cursor.close()

    def schema(self) -> list[tuple[object, ...]]:
        """Every (table, column) that the role may read, as ``columns_query`` gives them."""
        _, chunks = self._rows(self._columns_query)
        return [row for chunk in chunks for row in chunk]

    def run(self, sql: str) -> Result:
        """Columns and rows; raises what the driver raises."""
        if self._state_query:
            _, chunks = self._rows(self._state_query)
            self.state = str([row for chunk in chunks for row in chunk])
        return self._rows(sql)

    def _rows(self, sql: str) -> Result:
        cursor = self._connection.cursor()
        try:
            cursor.execute(sql)
            columns = tuple(str(column[0]) for column in cursor.description or ())
        except BaseException:
            self._end(cursor)
            raise
        return columns, self._chunks(cursor)

    def _chunks(self, cursor: Any) -> _Chunks:
        try:
            while rows := cursor.fetchmany(_FETCHED):
                yield [tuple(row) for row in rows]
        finally:
            self._end(cursor)

    def _end(self, cursor: Any) -> None:
        try:
            cursor.close()
            self._connection.rollback()
        except Exception:
            self.is_lost = True
