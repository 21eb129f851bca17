"""Which database a query runs on, as the child needs to know it. Standard library only."""

from dataclasses import dataclass
from typing import Literal

Dialect = Literal["duckdb", "sqlite"]


@dataclass(frozen=True, kw_only=True)
class Database:
    """A database file and the tables in it that a query may read (lower case)."""

    dialect: Dialect
    path: str
    tables: frozenset[str]
