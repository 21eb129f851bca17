"""What a database is made of, as far as a copy of it needs to know."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

from streams.verify.sandbox.database import Dialect
from streams.verify.sandbox.result import Value

Cell = tuple[str, str]
"""A table and a column of it, both in lower case."""


@dataclass(frozen=True, kw_only=True)
class Column:
    """A column that rows are written to, with some of the values it holds.

    ``values`` are distinct and not NULL, in the order in which they were first met. ``is_unique``
    says that no value was met twice.
    """

    name: str
    type: str
    is_nullable: bool = True
    has_null: bool = False
    is_unique: bool = False
    values: tuple[Value, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Link:
    """Columns (by position) whose values are those of the parent's columns: a foreign key."""

    columns: tuple[int, ...]
    parent: str
    parent_columns: tuple[int, ...]
    is_declared: bool = True


@dataclass(frozen=True, kw_only=True)
class Table:
    """A base table. ``keys`` are sets of columns whose values are unique together, the primary
    key first; ``create`` is the statement that makes the empty table.
    """

    name: str
    create: str
    columns: tuple[Column, ...]
    keys: tuple[tuple[int, ...], ...] = ()
    links: tuple[Link, ...] = ()

    def position(self, column: str) -> int | None:
        """Where the column (lower case) stands, None where the table has none of that name."""
        for position, each in enumerate(self.columns):
            if each.name.lower() == column:
                return position
        return None


@dataclass(frozen=True, kw_only=True)
class Shape:
    """Tables by their name in lower case, and the statements that make the views, in order."""

    dialect: Dialect
    tables: Mapping[str, Table]
    views: Mapping[str, str]

    @cached_property
    def fingerprint(self) -> str:
        """Hash of all of it: equal for two files with the same tables and sampled rows."""
        return sha256_of(repr(self))


def sha256_of(*parts: str) -> str:
    """Hash of texts one after the other, in hexadecimal."""
    return hashlib.sha256("\0".join(parts).encode(errors="surrogatepass")).hexdigest()
