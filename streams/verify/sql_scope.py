"""What a name can mean at a place in a query, and whether its value depends on stored rows.

Pure data: ``sql_bind`` builds it while it reads a query. Names are lower case. "Depends" says that
a value can change with the rows of a table that may be read.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from typing import Final

from streams.verify.sandbox.database import Dialect

_SQLITE_ROW_IDS: Final = frozenset({"rowid", "oid", "_rowid_"})
_DUCKDB_ROW_IDS: Final = frozenset({"rowid"})


@dataclass(slots=True)
class Output:
    """The columns a query gives, each with whether it depends, and whether its row set does.

    A column without a name of its own is "". ``is_open``: there may be more columns than the text
    tells, as where a struct is unnested. ``is_series``: constants, but more than one, such as the
    days of a month, of which a query may select those that match rows.
    """

    columns: list[tuple[str, bool]]
    rows: bool
    is_open: bool = False
    is_series: bool = False

    @property
    def depends(self) -> bool:
        """Whether any column does."""
        return any(depends for _, depends in self.columns)

    def renamed(self, names: list[str]) -> "Output":
        """The same with its first columns renamed, as by ``AS t(a, b)``."""
        if not names:
            return self
        kept = self.columns[len(names) :]
        flags = [depends for _, depends in self.columns[: len(names)]]
        flags += [self.rows] * (len(names) - len(flags))
        columns = [*zip(names, flags, strict=True), *kept]
        return replace(self, columns=columns)


@dataclass(slots=True)
class Relation:
    """One entry of a FROM clause. ``constant`` are the columns that do not depend."""

    name: str
    columns: Collection[str]
    constant: Collection[str] = ()
    rows: bool = True
    is_open: bool = False
    is_series: bool = False
    is_stored: bool = False
    has_unnamed: bool = False
    joined_by: Collection[str] = ()
    """Columns that USING or NATURAL merges with those before it."""
    is_filter: bool = False
    """The right side of a SEMI or ANTI join: it gives no columns."""
    ordered: list[tuple[str, bool]] | None = None

    @classmethod
    def of(cls, name: str, output: Output) -> "Relation":
        """The relation that a query is under an alias."""
        columns = dict(output.columns)
        return cls(
            name=name,
            columns=columns,
            constant=[column for column, depends in columns.items() if not depends],
            rows=output.rows,
            is_open=output.is_open,
            is_series=output.is_series,
            has_unnamed="" in columns,
            ordered=output.columns,
        )

    def expanded(self) -> list[tuple[str, bool]]:
        """Its columns as ``*`` gives them."""
        if self.ordered is not None:
            return self.ordered
        return [(name, name not in self.constant) for name in self.columns]


@dataclass(slots=True)
class Scope:
    """The names that one SELECT sees; ``outer`` is the one around it."""

    ctes: Mapping[str, Output] = field(default_factory=dict)
    outer: "Scope | None" = None
    relations: list[Relation] = field(default_factory=list)
    aliases: dict[str, bool] | None = None
    """Output columns by name; None where the clause being read does not see them."""
    parameters: Mapping[str, bool] = field(default_factory=dict)
    """Parameters of a lambda."""
    matched: set[str] = field(default_factory=set)
    """Columns of series that a condition compares with stored rows."""
    takes_qualifiers: bool = False
    """``aliases`` may be called by any table's name: ORDER BY after a set operation."""

    @property
    def rows(self) -> bool:
        """Whether the row set depends."""
        return any(relation.rows for relation in self.relations)

    @property
    def is_series(self) -> bool:
        """Whether all rows come from series."""
        return bool(self.relations) and all(each.is_series for each in self.relations)

    def named(self, name: str) -> list[Relation]:
        """The relations of that name, innermost scope first; SQLite allows several of one name."""
        scope: Scope | None = self
        while scope is not None:
            found = [relation for relation in scope.relations if relation.name == name]
            if found:
                return found
            scope = scope.outer
        return []

    def column(
        self, name: str, *, dialect: Dialect, quoted: bool, whole_rows: bool = True
    ) -> bool | None:
        """Whether the column of that name depends; None where there is none in sight.

        ``whole_rows``: DuckDB also takes a relation's name for a column, its row as a struct.
        """
        scope: Scope | None = self
        while scope is not None:
            if name in scope.parameters:
                return scope.parameters[name]
            found = column_of(scope.relations, name, dialect=dialect, quoted=quoted)
            if found is not None:
                return found
            if scope.aliases is not None and name in scope.aliases:
                return scope.aliases[name]
            scope = scope.outer
        if whole_rows and dialect != "sqlite" and (found_rows := self.named(name)):
            return any(relation.rows for relation in found_rows)
        return None


def column_of(
    relations: list[Relation], name: str, *, dialect: Dialect, quoted: bool
) -> bool | None:
    """Whether the column of that name in these relations depends; None where none has it."""
    found: bool | None = None
    for relation in relations:
        if name in relation.columns:
            if name not in relation.constant:
                return True
            found = False
    if found is not None:
        return found
    row_ids = _SQLITE_ROW_IDS if dialect == "sqlite" else _DUCKDB_ROW_IDS
    for relation in relations:
        # a column that was not given a name is called by its text
        may_have = relation.is_open or (quoted and relation.has_unnamed)
        if may_have or (relation.is_stored and name in row_ids):
            return relation.rows
    return None
