"""Rows for every table of a copy, drawn so that wrong queries show."""

import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

from streams.verify.instances.gold_constants import Compared
from streams.verify.instances.neighbours import planted
from streams.verify.instances.shape import Cell, Column, Link, Shape, Table
from streams.verify.sandbox.result import Row, Value

_ROWS = (3, 40)
# How many distinct values a column gets besides what is planted: few, so that groups, ties and
# joins happen, or many, so that an order is one.
_DISTINCT = (2, 3, 5, 20, 20)
_ALL_CONSTANTS = 0.35
"""Share of rows in which every column that gold compares holds its constant: without them a
conjunction of filters would find nothing."""
_WITNESSES = 4
"""The first rows of all tables are one chain each: they hold what gold compares with, and point at
the parents of their own chain. A filter over columns of several tables finds nothing by chance."""
_BESIDE = 0.3
"""Share of the later witnesses' values that lie beside the constant: what `> 5` takes is not 5."""
_PLANTED = 0.4
_NULL_WHERE_KNOWN = 0.15
_NULL_ELSEWHERE = 0.05
_REPEATED = 0.15
"""Share of rows that repeat the row before them in all but its key."""

Rows = Mapping[str, list[Row]]


@dataclass(frozen=True, kw_only=True)
class _Pool:
    """What one column is drawn from: gold's constants, their neighbours, other values."""

    constants: tuple[Value, ...]
    neighbours: tuple[Value, ...]
    others: tuple[Value, ...]
    null_share: float


def draw_rows(shape: Shape, gold: Compared, dice: random.Random) -> Rows:
    """Rows by table, in an order in which parents stand before their children."""
    shared = _shared_values(shape, gold)
    rows: dict[str, list[Row]] = {}
    for name in _parents_first(shape):
        rows[name] = _draw_table(name, shape.tables[name], gold, shared, rows, dice)
    return rows


def _draw_table(
    name: str,
    table: Table,
    gold: Compared,
    shared: Mapping[Cell, tuple[Value, ...]],
    rows: Rows,
    dice: random.Random,
) -> list[Row]:
    size = dice.randint(*_ROWS)
    keyed = {key[0] for key in table.keys if len(key) == 1}
    drawn: list[list[Value]] = [[] for _ in range(size)]
    pools = [
        _pool(column, (name, column.name.lower()), gold, shared, position in keyed, dice)
        for position, column in enumerate(table.columns)
    ]
    parents = [(link, _parent_rows(link.parent, rows, dice)) for link in table.links]
    own = [link for link in table.links if link.parent == name]
    for index in range(size):
        exact = dice.random() < _ALL_CONSTANTS
        row = [
            _key(pool, index) if position in keyed else _value(pool, index, exact, dice)
            for position, pool in enumerate(pools)
        ]
        if index >= _WITNESSES and dice.random() < _REPEATED:
            in_keys = {position for key in table.keys for position in key}
            before = drawn[index - 1]
            row = [row[i] if i in in_keys else before[i] for i in range(len(row))]
        for link, choices in parents:
            known = rows.get(link.parent, [])
            if index < _WITNESSES and known:
                _point(row, link, known[min(index, len(known) - 1)])
            elif choices:
                _point(row, link, dice.choice(choices))
        for link in own:
            _point(row, link, drawn[dice.randrange(index)] if index else row)
        drawn[index] = row
    return list(_without_repeated_keys(map(tuple, drawn), table))


def _point(row: list[Value], link: Link, parent: Sequence[Value]) -> None:
    for column, theirs in zip(link.columns, link.parent_columns, strict=True):
        row[column] = parent[theirs]


def _parent_rows(parent: str, rows: Rows, dice: random.Random) -> Sequence[Row]:
    """Some of the parents: the others get no children."""
    known = rows.get(parent, [])
    return dice.sample(known, dice.randint((len(known) + 1) // 2, len(known))) if known else ()


def _pool(
    column: Column,
    cell: Cell,
    gold: Compared,
    shared: Mapping[Cell, tuple[Value, ...]],
    is_key: bool,
    dice: random.Random,
) -> _Pool:
    known = shared.get(cell, column.values)
    near = [planted(constant, known) for constant in gold.constants.get(cell, ())]
    constants = [value for each in near for value in each.exact]
    dice.shuffle(constants)
    others = dice.sample(known, min(len(known), 40 if is_key else dice.choice(_DISTINCT)))
    null_share = 0.0
    if column.is_nullable and not is_key:
        null_share = _NULL_WHERE_KNOWN if column.has_null else _NULL_ELSEWHERE
    return _Pool(
        constants=tuple(constants),
        neighbours=tuple(value for each in near for value in each.near),
        others=tuple(others) or _made_up(column),
        null_share=null_share,
    )


def _value(pool: _Pool, index: int, exact: bool, dice: random.Random) -> Value:
    if index < _WITNESSES:
        if index >= _WITNESSES // 2 and pool.neighbours and dice.random() < _BESIDE:
            return dice.choice(pool.neighbours)
        if pool.constants:  # one after the other, so that few rows meet each
            return pool.constants[index % len(pool.constants)]
    elif exact and pool.constants:
        return dice.choice(pool.constants)
    if dice.random() < pool.null_share:
        return None
    near = pool.constants + pool.neighbours
    if near and dice.random() < _PLANTED:
        return dice.choice(near)
    return dice.choice(pool.others)


def _key(pool: _Pool, index: int) -> Value:
    """The index-th value of a key: gold's constants first, then known ones, then new ones."""
    first = pool.constants + pool.neighbours[:2]
    values = tuple(dict.fromkeys(first + pool.others))
    if index < len(values):
        return values[index]
    return _new(pool.others[0], index)


def _new(example: Value, number: int) -> Value:
    """A value of the example's type that differs from number to number."""
    make: Callable[[int], Value] = {
        int: lambda n: 1_000_000 + n,
        float: lambda n: 1_000_000.5 + n,
        Decimal: lambda n: Decimal(1_000_000 + n),
        date: lambda n: date.fromordinal(600_000 + n),
        datetime: lambda n: datetime.fromordinal(600_000 + n),
        bytes: lambda n: f"{n}".encode(),
    }.get(type(example), lambda n: f"{example}{n}")
    return make(number)


def _made_up(column: Column) -> tuple[Value, ...]:
    """Values for a column of which none are known, by its declared type as SQLite reads it."""
    kind = column.type.upper()
    if any(word in kind for word in ("INT", "NUM", "DEC", "REAL", "FLOA", "DOUB", "BIT")):
        return tuple(range(5))
    if "BOOL" in kind:
        return (True, False)
    if "DATE" in kind or "TIMESTAMP" in kind:
        return tuple(f"2020-01-{day:02d}" for day in range(1, 6))
    return tuple("abcde")


def _without_repeated_keys(rows: Iterator[Row], table: Table) -> Iterator[Row]:
    seen: list[set[Row]] = [set() for _ in table.keys]
    for row in rows:
        found = [tuple(row[position] for position in key) for key in table.keys]
        if any(key in known for key, known in zip(found, seen, strict=True)):
            continue
        for key, known in zip(found, seen, strict=True):
            if None not in key:
                known.add(key)
        yield row


def _shared_values(shape: Shape, gold: Compared) -> Mapping[Cell, tuple[Value, ...]]:
    """For columns that gold compares with each other: the values of both."""
    groups: dict[Cell, set[Cell]] = {}
    for one, other in gold.pairs:
        group = groups.get(one, {one}) | groups.get(other, {other})
        groups |= dict.fromkeys(group, group)
    return {
        cell: tuple(
            dict.fromkeys(value for each in sorted(group) for value in _known(shape, each)[:40])
        )
        for cell, group in groups.items()
    }


def _known(shape: Shape, cell: Cell) -> tuple[Value, ...]:
    table = shape.tables[cell[0]]
    position = table.position(cell[1])
    return () if position is None else table.columns[position].values


def _parents_first(shape: Shape) -> list[str]:
    ordered: dict[str, None] = {}

    def add(name: str, above: frozenset[str]) -> None:
        if name in ordered or name in above or name not in shape.tables:
            return
        for link in shape.tables[name].links:
            add(link.parent, above | {name})
        ordered[name] = None

    for name in shape.tables:
        add(name, frozenset())
    return list(ordered)
