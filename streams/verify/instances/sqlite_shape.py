"""The shape of a SQLite file. The file is the project's own: this runs outside the sandbox."""

import sqlite3
from contextlib import closing
from dataclasses import replace
from itertools import groupby

from streams.verify.instances.sample import sampled_column
from streams.verify.instances.shape import Link, Shape, Table

# Rows from the start of each table: enough to know its values, and quick for a table of any size.
SAMPLED_ROWS = 1000


def sqlite_shape(path: str) -> Shape:
    """Tables, keys, links and values; raises sqlite3.Error where the file cannot be read."""
    address = f"file:{path.replace('%', '%25').replace('?', '%3f').replace('#', '%23')}"
    with closing(sqlite3.connect(f"{address}?mode=ro&immutable=1", uri=True)) as connection:
        connection.text_factory = lambda raw: raw.decode("utf-8", "surrogateescape")
        made = connection.execute(
            "SELECT type, name, sql FROM sqlite_master WHERE sql IS NOT NULL AND "
            "name NOT LIKE 'sqlite\\_%' ESCAPE '\\' AND type IN ('table', 'view') ORDER BY rowid"
        ).fetchall()
        tables = {
            name.lower(): _table(connection, name, sql)
            for kind, name, sql in made
            if kind == "table" and not sql.upper().startswith("CREATE VIRTUAL")
        }
        views = {name.lower(): sql for kind, name, sql in made if kind == "view"}
        linked = {name: _linked(connection, table, tables) for name, table in tables.items()}
    return Shape(dialect="sqlite", tables=linked, views=views)


def _table(connection: sqlite3.Connection, name: str, create: str) -> Table:
    info = connection.execute("SELECT * FROM pragma_table_xinfo(?)", [name]).fetchall()
    stored = [row for row in info if row[6] == 0]  # generated and hidden columns are not written
    names = [row[1] for row in stored]
    listed = ", ".join(_quoted(each) for each in names)
    rows = connection.execute(
        f"SELECT {listed} FROM {_quoted(name)} LIMIT {SAMPLED_ROWS}"
    ).fetchall()
    columns = tuple(
        sampled_column(
            row[1], row[2] or "", not row[3] and not row[5], [each[position] for each in rows]
        )
        for position, row in enumerate(stored)
    )
    primary = tuple(names.index(row[1]) for row in sorted(stored, key=lambda row: row[5]) if row[5])
    keys = [primary] if primary else []
    for index in connection.execute("SELECT * FROM pragma_index_list(?)", [name]).fetchall():
        parts = connection.execute("SELECT name FROM pragma_index_info(?)", [index[1]]).fetchall()
        if index[2] and not index[4] and all(part in names for (part,) in parts):
            key = tuple(names.index(part) for (part,) in parts)
            if key not in keys:
                keys.append(key)
    return Table(name=name, create=create, columns=columns, keys=tuple(keys))


def _linked(connection: sqlite3.Connection, table: Table, tables: dict[str, Table]) -> Table:
    rows = connection.execute(
        'SELECT id, "table", "from", "to" FROM pragma_foreign_key_list(?) ORDER BY id, seq',
        [table.name],
    ).fetchall()
    links: list[Link] = []
    for _, group in groupby(rows, key=lambda row: row[0]):
        parts = list(group)
        parent = tables.get(parts[0][1].lower())
        if parent is None:
            continue
        ours = [table.position(part[2].lower()) for part in parts]
        if parts[0][3] is None:
            theirs: list[int | None] = [*(parent.keys[0] if parent.keys else ())]
        else:
            theirs = [parent.position(part[3].lower()) for part in parts]
        columns = tuple(position for position in ours if position is not None)
        parents = tuple(position for position in theirs if position is not None)
        if len(columns) == len(parents) == len(parts):
            name = parent.name.lower()
            links.append(Link(columns=columns, parent=name, parent_columns=parents))
    return replace(table, links=tuple(links))


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
