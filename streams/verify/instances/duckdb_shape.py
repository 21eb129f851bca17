"""The shape of a DuckDB file. The file is the project's own: this runs outside the sandbox."""

from collections import defaultdict
from dataclasses import replace

import duckdb

from streams.verify.instances.sample import sampled_column
from streams.verify.instances.shape import Column, Link, Shape, Table
from streams.verify.sandbox.result import Value

SAMPLED_ROWS = 1000
# Of these a value is taken as text, which DuckDB reads back where it is inserted.
_NESTED = ("STRUCT", "MAP", "UNION", "INTERVAL", "BIT", "VARIANT", "GEOMETRY", "JSON")

_CONSTRAINTS = """
SELECT schema_name, table_name, constraint_type, constraint_column_names, referenced_table,
    referenced_column_names
FROM duckdb_constraints()
ORDER BY constraint_type <> 'PRIMARY KEY', table_oid, constraint_index
"""


def duckdb_shape(path: str) -> Shape:
    """Tables, keys, links and values; raises duckdb.Error where the file cannot be read."""
    config: dict[str, str | bool | int | float | list[str]] = {"threads": 1}
    with duckdb.connect(path, read_only=True, config=config) as connection:
        stored: dict[tuple[str, str], list[tuple[str, str, bool]]] = defaultdict(list)
        for schema, table, name, type_, is_nullable in connection.execute(
            "SELECT schema_name, table_name, column_name, data_type, is_nullable "
            "FROM duckdb_columns() JOIN duckdb_tables() USING (schema_name, table_name) "
            "WHERE NOT is_generated ORDER BY duckdb_tables.table_oid, column_index"
        ).fetchall():
            stored[schema, table].append((name, type_, is_nullable))
        tables = {
            _key(schema, table): Table(
                name=_quoted(schema, table),
                create=_create(schema, table, columns),
                columns=_sampled(connection, _quoted(schema, table), columns),
            )
            for (schema, table), columns in stored.items()
        }
        constraints = connection.execute(_CONSTRAINTS).fetchall()
        views = connection.execute(
            "SELECT schema_name, view_name, sql FROM duckdb_views() WHERE NOT internal "
            "ORDER BY view_oid"
        ).fetchall()
    for schema, table, kind, names, parent, parent_names in constraints:
        key = _key(schema, table)
        if key in tables:
            tables[key] = _constrained(tables, key, kind, names, (schema, parent, parent_names))
    return Shape(
        dialect="duckdb",
        tables=tables,
        views={_key(schema, view): sql for schema, view, sql in views},
    )


def _sampled(
    connection: duckdb.DuckDBPyConnection, table: str, columns: list[tuple[str, str, bool]]
) -> tuple[Column, ...]:
    listed = ", ".join(
        f"{_quoted(name)}::VARCHAR" if _is_nested(type_) else _quoted(name)
        for name, type_, _ in columns
    )
    rows: list[tuple[Value, ...]] = connection.execute(
        f"SELECT {listed} FROM {table} LIMIT {SAMPLED_ROWS}"
    ).fetchall()
    return tuple(
        sampled_column(name, type_, is_nullable, [row[position] for row in rows])
        for position, (name, type_, is_nullable) in enumerate(columns)
    )


def _constrained(
    tables: dict[str, Table],
    key: str,
    kind: str,
    names: list[str],
    parent: tuple[str, str | None, list[str]],
) -> Table:
    table = tables[key]
    columns = _positions(table, names)
    if columns is None:
        return table
    if kind in ("PRIMARY KEY", "UNIQUE"):
        return replace(table, keys=(*table.keys, columns))
    schema, parent_name, parent_names = parent
    if kind == "FOREIGN KEY" and parent_name is not None:
        parent_key = _key(schema, parent_name)
        theirs = _positions(tables[parent_key], parent_names) if parent_key in tables else None
        if theirs is not None:
            link = Link(columns=columns, parent=parent_key, parent_columns=theirs)
            return replace(table, links=(*table.links, link))
    return table


def _positions(table: Table, names: list[str]) -> tuple[int, ...] | None:
    found = [table.position(name.lower()) for name in names]
    whole = tuple(position for position in found if position is not None)
    return whole if len(whole) == len(names) > 0 else None


def _create(schema: str, table: str, columns: list[tuple[str, str, bool]]) -> str:
    """The table without its constraints: the rows keep the keys by themselves."""
    listed = ", ".join(f"{_quoted(name)} {type_}" for name, type_, _ in columns)
    return f"CREATE TABLE {_quoted(schema, table)} ({listed})"


def _is_nested(type_: str) -> bool:
    return type_.endswith("]") or type_.startswith(_NESTED)


def _key(schema: str, name: str) -> str:
    """As a query names the table, in lower case."""
    return name.lower() if schema == "main" else f"{schema}.{name}".lower()


def _quoted(*names: str) -> str:
    return ".".join('"' + name.replace('"', '""') + '"' for name in names)
