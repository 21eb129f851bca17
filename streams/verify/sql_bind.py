"""Reads the tree of a query as its engine would: what each name means, and whether it may.

Everything in the tree is visited, and what is not known here is refused. Raises Broken with the
first rejection.
"""

from collections.abc import Iterator, Mapping
from dataclasses import replace

from sqlglot import exp

from streams.verify.sandbox.database import Dialect
from streams.verify.sql_arguments import MODIFIERS, check_arguments, column_names
from streams.verify.sql_expressions import Expressions
from streams.verify.sql_from import FromClauses, Tables
from streams.verify.sql_names import fold
from streams.verify.sql_rejection import Broken
from streams.verify.sql_scope import Output, Relation, Scope
from streams.verify.sql_star import Stars


class Binder:
    """Binds one query; not to be used for two."""

    def __init__(self, sql: str, dialect: Dialect, tables: Tables) -> None:
        self._dialect = dialect
        self._tables = tables
        self._expressions = Expressions(sql, dialect, self)
        self._stars = Stars(dialect, self._expressions)
        self._from = FromClauses(sql, dialect, tables, self._expressions, self)

    def bind(self, tree: exp.Expr) -> Output:
        """What the query gives; raises Broken."""
        output = self.query(tree, Scope())
        self._expressions.refuse_clock()
        return output

    def query(self, node: exp.Expr, outer: Scope) -> Output:
        """A query, with or without parentheses around it, in the scope around it."""
        if isinstance(node, exp.Select):
            return self._select(node, outer)
        if isinstance(node, exp.SetOperation):
            return self._set_operation(node, outer, None)
        if isinstance(node, exp.Subquery):
            return self._parentheses(node, outer)
        if isinstance(node, exp.Values):
            return self._values(node, outer)
        raise Broken("syntax", node.key.upper(), "a query may not contain this", at=node)

    def relation_named(self, node: exp.Expr, name: str, scope: Scope) -> Relation:
        """The CTE or table that an unqualified name means; raises Broken."""
        return self._from.relation_named(node, name, scope)

    def _select(self, node: exp.Select, outer: Scope) -> Output:
        check_arguments(node)
        scope = Scope(ctes=self._with(node, outer), outer=outer)
        from_ = node.args.get("from_")
        if from_ is not None:
            check_arguments(from_)
            self._from.add(from_.this, scope)
        for join in node.args.get("joins") or ():
            self._from.join(join, scope)
        output = self._projections(node, scope)
        where = node.args.get("where")
        if where is not None:
            self._from.predicate(where, scope)
        if not output.depends and scope.matched:
            _depend_on_match(node, output, scope.matched)
        # SQLite's GROUP BY and ORDER BY see nothing of the queries around theirs
        alone = scope if self._dialect != "sqlite" else replace(scope, outer=None)
        for key in ("group", "having", "qualify"):
            clause = node.args.get(key)
            if clause is not None:
                self._expressions.depends(clause, alone if key == "group" else scope)
        for window in node.args.get("windows") or ():
            self._expressions.depends(window, scope)
        distinct = node.args.get("distinct")
        if distinct is not None:
            self._expressions.depends(distinct, scope)
        self._modifiers(node, alone)
        return output

    def _projections(self, node: exp.Select, scope: Scope) -> Output:
        """The output columns, and the aliases as the clauses after them see them."""
        output = Output(columns=[], rows=scope.rows, is_series=scope.is_series)
        aliases: dict[str, bool] = {}
        # DuckDB lets an output column use the aliases before it, SQLite none
        scope.aliases = aliases if self._dialect != "sqlite" else None
        for projection in node.expressions:
            star = self._stars.columns(projection, scope, output)
            if star is not None:
                output.columns.extend(star)
                continue
            depends = self._expressions.depends(projection, scope)
            name = fold(projection.alias_or_name)
            if not isinstance(projection, (exp.Alias, exp.Column, exp.Dot)):
                name = ""
                output.is_open |= isinstance(projection, exp.Explode)
            elif isinstance(projection, exp.Alias):
                aliases[name] = depends
            output.is_series |= isinstance(projection.unalias(), exp.Explode)
            output.columns.append((name, depends))
        scope.aliases = aliases
        return output

    def _set_operation(self, node: exp.SetOperation, outer: Scope, own: exp.CTE | None) -> Output:
        """Both sides. ``own`` is the recursive CTE whose body this is: its step sees itself."""
        check_arguments(node)
        scope = replace(outer, ctes=self._with(node, outer))
        left_side = node.this
        if self._dialect == "sqlite" and isinstance(left_side, exp.SetOperation):
            left = self._set_operation(left_side, scope, own)  # SQLite allows several steps
        else:
            left = self.query(left_side, scope)
        inside = scope
        if own is not None:
            itself = left.renamed(column_names(own))
            inside = replace(scope, ctes={**scope.ctes, fold(own.alias): itself})
        right = self.query(node.expression, inside)
        output = _combined(node, left, right)
        if any(node.args.get(key) is not None for key in MODIFIERS):
            names = dict.fromkeys(_names_in_projections(node), True) | dict(output.columns)
            both = Scope(ctes=scope.ctes, outer=outer, aliases=names, takes_qualifiers=True)
            self._modifiers(node, both)
        return output

    def _parentheses(self, node: exp.Subquery, outer: Scope) -> Output:
        check_arguments(node)
        scope = replace(outer, ctes=self._with(node, outer))
        output = self.query(node.this, scope)
        names = Scope(ctes=scope.ctes, outer=outer, aliases=dict(output.columns))
        self._modifiers(node, names)
        return output

    def _values(self, node: exp.Values, outer: Scope) -> Output:
        check_arguments(node)
        scope = replace(outer, ctes=self._with(node, outer))
        rows = [
            [self._expressions.depends(value, scope) for value in row.expressions]
            if isinstance(row, exp.Tuple)
            else [self._expressions.depends(row, scope)]
            for row in node.expressions
        ]
        first = 0 if self._dialect == "duckdb" else 1
        word = "col" if self._dialect == "duckdb" else "column"
        flags = [any(column) for column in zip(*rows, strict=False)]
        columns = [(f"{word}{first + i}", depends) for i, depends in enumerate(flags)]
        self._modifiers(node, scope)
        return Output(columns=columns, rows=any(flags), is_series=len(rows) > 1)

    def _modifiers(self, node: exp.Expr, scope: Scope) -> None:
        for key in ("order", "limit", "offset"):
            modifier = node.args.get(key)
            if modifier is not None:
                self._expressions.depends(modifier, scope)

    def _with(self, node: exp.Expr, outer: Scope) -> Mapping[str, Output]:
        """The CTEs in scope under the node: a CTE sees those before it, and its step itself."""
        with_ = node.args.get("with_")
        if with_ is None:
            return outer.ctes
        check_arguments(with_)
        ctes = dict(outer.ctes)
        for cte in with_.expressions:
            check_arguments(cte)
            name = fold(cte.alias)
            if name in self._tables:
                alias = cte.args["alias"]
                raise Broken("cte_shadows_table", cte.alias, "this name is a table's", at=alias)
            scope = replace(outer, ctes=dict(ctes))
            # to SQLite RECURSIVE is a word without meaning
            recursive = with_.args.get("recursive") or self._dialect == "sqlite"
            if recursive and isinstance(cte.this, exp.SetOperation):
                output = self._set_operation(cte.this, scope, cte)
                output.is_series = True
            else:
                output = self.query(cte.this, scope)
            ctes[name] = output.renamed(column_names(cte))
        return ctes


def _depend_on_match(node: exp.Select, output: Output, matched: set[str]) -> None:
    """Outputs made of a series' columns depend where the series was matched with rows."""
    if len(output.columns) == len(node.expressions):
        for position, projection in enumerate(node.expressions):
            name = output.columns[position][0]
            if any(fold(column.name) in matched for column in projection.find_all(exp.Column)):
                output.columns[position] = (name, True)
    elif node.is_star:
        output.columns[:] = [(name, name in matched) for name, _ in output.columns]


def _names_in_projections(node: exp.SetOperation) -> Iterator[str]:
    """Names by which either side's output columns may be called in the ORDER BY after both."""
    for side in (node.this.unnest(), node.expression.unnest()):
        if isinstance(side, exp.SetOperation):
            yield from _names_in_projections(side)
        elif isinstance(side, exp.Select):
            for projection in side.expressions:
                yield fold(projection.alias)
                yield from (fold(column.name) for column in projection.find_all(exp.Column))


def _combined(node: exp.SetOperation, left: Output, right: Output) -> Output:
    """Columns of both sides by position, or by name.

    A UNION depends where both of its sides do: one made of constants alone can carry the answer.
    What EXCEPT gives are rows of its left side, what INTERSECT gives are rows of either.
    """
    if isinstance(node, exp.Except):
        return left
    if node.args.get("by_name"):
        others = dict(right.columns)
        pairs = [(name, flag, others.pop(name, False)) for name, flag in left.columns]
        pairs += [(name, False, flag) for name, flag in others.items()]
    else:
        flags = [flag for _, flag in right.columns]
        flags += [right.depends] * (len(left.columns) - len(flags))
        pairs = [
            (name, flag, other) for (name, flag), other in zip(left.columns, flags, strict=False)
        ]
    both = isinstance(node, exp.Intersect) or (left.depends and right.depends)
    columns = [(name, (flag or other) if both else (flag and other)) for name, flag, other in pairs]
    rows = left.rows or right.rows
    return Output(columns=columns, rows=rows, is_open=left.is_open or right.is_open)
