"""Which database a query runs on, as the child needs to know it. Standard library only."""

from dataclasses import dataclass

Dialect = str
"""duckdb, sqlite, postgres, or for a warehouse behind a driver any that sqlglot knows."""

COPY_SUFFIX = ".copy"
"""How the file of a fuzzed copy ends: an engine may hold many of them open at once."""


@dataclass(frozen=True, kw_only=True)
class Database:
    """A database file, or the name of a replica, and the tables in it that a query may read (lower
    case).
    """

    dialect: Dialect
    path: str
    tables: frozenset[str]
