"""Verdicts of the gate, kept: systems and samples often write the same query."""

from collections import OrderedDict
from typing import Final

from streams.verify.databases import Readable
from streams.verify.semantics import Semantics
from streams.verify.sql_gate import MAX_SQL_BYTES, GatedSql, Rejection, gate_sql

# A query is some hundred bytes: at most 80 MB where all are as long as may be, usually 3 MB.
_KEPT: Final = 10_000


class GateCache:
    """What the gate says of a query on a database; the longest unused is forgotten.

    For one event loop.
    """

    def __init__(self, semantics: Semantics, kept: int = _KEPT) -> None:
        self._semantics = semantics
        self._kept = kept
        self._found: OrderedDict[tuple[str, int], tuple[Readable, str | Rejection]] = OrderedDict()

    def allowed(self, readable: Readable, sql: str) -> str | Rejection:
        """The query as it may run, prepared by the semantics, or why it may not."""
        key = (sql, id(readable))
        kept = self._found.get(key)
        if kept is not None:
            self._found.move_to_end(key)
            return kept[1]
        gated = self.gate(readable, sql)
        # the tree is not kept: it is a hundred times the text
        found = gated.sql if isinstance(gated, GatedSql) else gated
        if len(sql) <= MAX_SQL_BYTES:
            # the entry holds the readable itself, so that its id stays its own
            self._found[key] = (readable, found)
            if len(self._found) > self._kept:
                self._found.popitem(last=False)
        return found

    def gate(self, readable: Readable, sql: str) -> GatedSql | Rejection:
        """The same with its tree, asked anew."""
        dialect = readable.database.dialect
        prepared = self._semantics.prepare(sql, dialect)
        return gate_sql(prepared, dialect=dialect, tables=readable.tables)
