"""What a gold query's ORDER BY fixes: which rows stand in which order, and which are tied."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby

from sqlglot import exp

from streams.verify.sandbox.database import Dialect
from streams.verify.sandbox.result import Row


@dataclass(frozen=True, kw_only=True)
class OrderKeys:
    """Where the sort keys stand in the rows of ``sql``: the query itself, with the keys that it
    does not select added at the end (those have negative positions).
    """

    sql: str
    positions: tuple[int, ...]
    added: int


def is_ordered(tree: exp.Expr) -> bool:
    """Whether the top level of the query orders its rows."""
    return tree.unnest().args.get("order") is not None


def order_keys(tree: exp.Expr, dialect: Dialect) -> OrderKeys | None:
    """The keys of the top-level ORDER BY; None where they cannot be made visible."""
    query = tree.unnest().copy()
    if not isinstance(query, exp.Query):
        return None
    positions: list[int | exp.Expr] = []
    for ordered in query.args["order"].expressions:
        key = _visible(query, ordered.this)
        if key is None:
            return None
        positions.append(key)
    hidden = [key for key in positions if isinstance(key, exp.Expr)]
    if hidden:
        if not isinstance(query, exp.Select) or query.args.get("distinct"):
            return None
        query = query.select(*(key.copy() for key in hidden), append=True, copy=False)
    behind = iter(range(-len(hidden), 0))
    return OrderKeys(
        sql=query.sql(dialect),
        positions=tuple(key if isinstance(key, int) else next(behind) for key in positions),
        added=len(hidden),
    )


def ties(rows: Sequence[Row], positions: Sequence[int]) -> tuple[int, ...]:
    """Sizes of the successive runs of rows with equal keys."""
    runs = groupby(rows, key=lambda row: tuple(row[position] for position in positions))
    return tuple(sum(1 for _ in run) for _, run in runs)


def _visible(query: exp.Query, key: exp.Expr) -> int | exp.Expr | None:
    """Position of the key among the output columns, or the expression that must be added."""
    if isinstance(key, exp.Literal) and not key.is_string:
        return int(key.this) - 1
    if isinstance(key, exp.Var):  # ORDER BY ALL
        return None
    outputs = query.selects
    if any(output.is_star for output in outputs):
        return key
    for position, output in enumerate(outputs):
        named = isinstance(key, exp.Column) and not key.table and _same(key.name, output.alias)
        if named or output.unalias() == key:
            return position
    if isinstance(query, exp.SetOperation):
        by_name = [i for i, name in enumerate(query.named_selects) if _same(name, key.name)]
        return by_name[0] if by_name else None
    return key


def _same(one: str, other: str) -> bool:
    return bool(one) and one.lower() == other.lower()
