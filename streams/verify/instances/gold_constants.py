"""What a golden query compares its columns with: constants, and other columns."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from sqlglot import exp

from streams.verify.instances.shape import Cell, Shape
from streams.verify.sandbox.result import Value

_COMPARISONS = (
    exp.EQ, exp.NEQ, exp.GT, exp.GTE, exp.LT, exp.LTE, exp.Like, exp.ILike, exp.Glob,
    exp.In, exp.Between, exp.Is, exp.NullSafeEQ, exp.NullSafeNEQ,
)  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Compared:
    """Constants by the column they are compared with, and pairs of columns that are compared."""

    constants: Mapping[Cell, tuple[Value, ...]] = field(default_factory=dict)
    pairs: tuple[tuple[Cell, Cell], ...] = ()
    tables: frozenset[str] = frozenset()


def compared(gold: exp.Expr, views: Mapping[str, exp.Expr], shape: Shape) -> Compared:
    """Collected from gold and the views that it reads, as ``views_read`` gives them."""
    outputs = _view_outputs(views, shape)
    constants: dict[Cell, dict[str, Value]] = {}
    pairs: dict[tuple[Cell, Cell], None] = {}
    tables: set[str] = set()
    for tree in (gold, *views.values()):
        tables |= {table_key(node) for node in tree.find_all(exp.Table)} & shape.tables.keys()
        resolver = _Resolver(tree, shape, outputs)
        for node in tree.find_all(*_COMPARISONS):
            sides = [child for child in node.iter_expressions() if isinstance(child, exp.Expr)]
            cells = [list(_cells(side, resolver)) for side in sides]
            values = [value for side in sides for value in _literals(side)]
            for cell in (cell for side in cells for cell in side):
                constants.setdefault(cell, {}).update((repr(value), value) for value in values)
            others = [cell for side in cells[1:] for cell in side]
            pairs |= {(one, two): None for one in cells[0] for two in others if one != two}
        for column, wanted in _truths(tree):
            for cell in resolver.cells(column):
                constants.setdefault(cell, {})[repr(wanted)] = wanted
    return Compared(
        constants={cell: tuple(found.values()) for cell, found in constants.items() if found},
        pairs=tuple(pairs),
        tables=frozenset(tables),
    )


def table_key(table: exp.Table) -> str:
    """The name by which a shape knows the table."""
    is_main = not table.db or table.db.lower() == "main"
    return table.name.lower() if is_main else f"{table.db}.{table.name}".lower()


def views_read(tree: exp.Expr, views: Mapping[str, exp.Expr]) -> dict[str, exp.Expr]:
    """The definitions of the views that the query reads, each before those that it reads itself."""
    found: dict[str, exp.Expr] = {}
    waiting = [tree]
    while waiting:
        for node in waiting.pop().find_all(exp.Table):
            name = table_key(node)
            if name in views and name not in found:
                found[name] = views[name]
                waiting.append(views[name])
    return found


class _Resolver:
    """Which base columns a column of the query may mean."""

    def __init__(
        self, tree: exp.Expr, shape: Shape, outputs: Mapping[Cell, tuple[Cell, ...]]
    ) -> None:
        self._shape = shape
        self._outputs = outputs
        names = {table_key(node) for node in tree.find_all(exp.Table)}
        # A view's columns are looked for by name in all tables: enough to plant constants.
        only_tables = names <= shape.tables.keys()
        self._tables = sorted(names & shape.tables.keys()) if only_tables else sorted(shape.tables)
        self._scopes: dict[int, dict[str, str]] = {}

    def cells(self, column: exp.Column) -> Iterator[Cell]:
        name, wanted = column.name.lower(), column.table.lower()
        select = column.find_ancestor(exp.Select)
        while select is not None:
            sources = self._sources(select)
            tables = [sources[wanted]] if wanted in sources else []
            if not wanted:
                tables = list(sources.values())
            holding = [table for table in tables if self._has(table, name)]
            if holding:
                for table in holding:
                    yield from self._outputs.get((table, name), ((table, name),))
                return
            select = select.find_ancestor(exp.Select)
        outputs = [cells for (_, output), cells in self._outputs.items() if output == name]
        if outputs:
            yield from (cell for cells in outputs for cell in cells)
            return
        yield from ((table, name) for table in self._tables if self._has(table, name))

    def _has(self, table: str, column: str) -> bool:
        if (table, column) in self._outputs:
            return True
        known = self._shape.tables.get(table)
        return known is not None and known.position(column) is not None

    def _sources(self, select: exp.Select) -> dict[str, str]:
        if id(select) not in self._scopes:
            joined = [select.args.get("from_"), *(select.args.get("joins") or ())]
            tables = [part.this for part in joined if part is not None]
            self._scopes[id(select)] = {
                table.alias_or_name.lower(): table_key(table)
                for table in tables
                if isinstance(table, exp.Table)
            }
        return self._scopes[id(select)]


def _view_outputs(views: Mapping[str, exp.Expr], shape: Shape) -> dict[Cell, tuple[Cell, ...]]:
    """Base columns by the view, and the name in it, that gives what is made of them."""
    found: dict[Cell, tuple[Cell, ...]] = {}
    for name, view in reversed(list(views.items())):  # those that a view reads stand behind it
        resolver = _Resolver(view, shape, found)
        outputs = view.selects if isinstance(view, exp.Query) else []
        for output in outputs:
            if not output.is_star:
                found[name, output.alias_or_name.lower()] = tuple(_cells(output, resolver))
    return found


def _cells(side: exp.Expr, resolver: _Resolver) -> Iterator[Cell]:
    """Base columns that the side's value is made of; those of a sub-query are its outputs."""
    query = side.unnest()
    if isinstance(query, exp.Query):
        outputs: list[exp.Expr] = query.selects[:1]
    else:
        outputs = [side]
    for output in outputs:
        for column in output.find_all(exp.Column):
            yield from resolver.cells(column)


def _truths(tree: exp.Expr) -> Iterator[tuple[exp.Column, bool]]:
    """Columns that stand for a condition by themselves, and what they must be."""
    for condition in tree.find_all(exp.Where, exp.Having, exp.And, exp.Or):
        for side in condition.iter_expressions():
            part = side.unnest()
            if isinstance(part, exp.Column):
                yield part, True
            elif isinstance(part, exp.Not) and isinstance(part.this.unnest(), exp.Column):
                yield part.this.unnest(), False


def _literals(side: exp.Expr) -> Iterator[Value]:
    if isinstance(side.unnest(), exp.Query):
        return
    if isinstance(side, exp.Neg) and isinstance(side.this, exp.Literal) and not side.this.is_string:
        yield _number("-" + side.this.this)
        return
    for literal in [side] if isinstance(side, exp.Literal) else side.find_all(exp.Literal):
        yield literal.this if literal.is_string else _number(literal.this)
    # SQLite takes a double-quoted word that is no column for a text
    for column in side.find_all(exp.Column):
        if column.this.args.get("quoted") and not column.table:
            yield column.name


def _number(text: str) -> Value:
    try:
        return int(text)
    except ValueError:
        return float(text)
