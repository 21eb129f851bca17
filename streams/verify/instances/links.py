"""Links between tables that nobody declared: warehouses often have no foreign keys."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace

from streams.verify.instances.gold_constants import Compared
from streams.verify.instances.shape import Cell, Link, Shape, Table

# Of a sample of each: a foreign key finds at least so many of its values in the parent's sample.
_FOUND_SHARE = 0.5

_Parents = Callable[[Cell], Iterator[tuple[str, int]]]


def with_namesakes(shape: Shape) -> Shape:
    """The shape with a key in every table that seems to have one, and a link wherever a column has
    the name of another table's key and its values.
    """
    tables = {name: _with_key(table) for name, table in shape.tables.items()}
    values = {
        (name, column.name.lower()): frozenset(map(repr, column.values))
        for name, table in tables.items()
        for column in table.columns
    }

    def parents(cell: Cell) -> Iterator[tuple[str, int]]:
        ours = values[cell]
        for parent, position in _keys(((name, cell[1]) for name in tables), tables):
            theirs = values[parent, cell[1]]
            if ours and len(ours & theirs) >= _FOUND_SHARE * min(len(ours), len(theirs)):
                yield parent, position

    return _with_links(replace(shape, tables=tables), parents)


def with_joins(shape: Shape, gold: Compared) -> Shape:
    """The shape with a link wherever gold compares a column with another table's key."""

    def parents(cell: Cell) -> Iterator[tuple[str, int]]:
        others = (two if one == cell else one for one, two in gold.pairs if cell in (one, two))
        yield from _keys(others, shape.tables)

    return _with_links(shape, parents)


def _with_key(table: Table) -> Table:
    """Where no key is declared, a first column without repeats is taken for one."""
    if table.keys or not table.columns:
        return table
    first = table.columns[0]
    is_key = first.is_unique and len(first.values) > 2 and not first.has_null
    return replace(table, keys=((0,),)) if is_key else table


def _with_links(shape: Shape, parents: _Parents) -> Shape:
    return replace(
        shape,
        tables={
            name: replace(table, links=(*table.links, *_found(name, table, parents)))
            for name, table in shape.tables.items()
        },
    )


def _found(name: str, table: Table, parents: _Parents) -> Iterator[Link]:
    taken = {column for link in table.links if link.is_declared for column in link.columns}
    for position, column in enumerate(table.columns):
        if position in taken or (position,) in table.keys:
            continue
        for parent, theirs in parents((name, column.name.lower())):
            if parent != name:
                yield Link(
                    columns=(position,),
                    parent=parent,
                    parent_columns=(theirs,),
                    is_declared=False,
                )
                break


def _keys(cells: Iterable[Cell], tables: Mapping[str, Table]) -> Iterator[tuple[str, int]]:
    for parent, column in cells:
        position = tables[parent].position(column) if parent in tables else None
        if position is not None and (position,) in tables[parent].keys:
            yield parent, position
