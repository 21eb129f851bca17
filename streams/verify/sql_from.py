"""The FROM clause: the relations of a SELECT, each by its name and with its columns."""

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from sqlglot import exp

from streams.verify.sandbox.database import Dialect
from streams.verify.sql_arguments import check_arguments, column_names
from streams.verify.sql_constants import truth
from streams.verify.sql_names import fold
from streams.verify.sql_rejection import Broken
from streams.verify.sql_scope import Output, Relation, Scope

if TYPE_CHECKING:
    from streams.verify.sql_bind import Binder
    from streams.verify.sql_expressions import Expressions

Tables = Mapping[str, frozenset[str]]

_GENERATORS: Final = (exp.GenerateSeries, exp.Explode)


class FromClauses:
    """Reads the FROM clauses of one query."""

    def __init__(
        self,
        sql: str,
        dialect: Dialect,
        tables: Tables,
        expressions: "Expressions",
        binder: "Binder",
    ) -> None:
        self._sql = sql
        self._dialect = dialect
        self._tables = tables
        self._expressions = expressions
        self._binder = binder

    def relation_named(self, node: exp.Expr, name: str, scope: Scope) -> Relation:
        """The CTE or table that an unqualified name means; raises Broken."""
        cte = scope.ctes.get(name)
        if cte is not None:
            return Relation.of(name, cte)
        columns = self._tables.get(name)
        if columns is None:
            raise Broken("table", node.name, "no table that may be read", at=node)
        return Relation(name=name, columns=columns, is_stored=True)

    def join(self, node: exp.Join, scope: Scope) -> None:
        """Add the right side of a join to the scope, and read its condition."""
        check_arguments(node)
        before = list(scope.relations)
        self.add(node.this, scope)
        added = scope.relations[len(before) :]
        using = [fold(column.name) for column in node.args.get("using") or ()]
        for name, column in zip(using, node.args.get("using") or (), strict=True):
            for side in (before, added):
                if not any(name in each.columns or each.is_open for each in side):
                    raise Broken("column", column.name, "not on both sides of USING", at=column)
        if node.args.get("method") == "NATURAL":
            using = [name for each in before for name in each.columns]
        for relation in added:
            relation.joined_by = using
            relation.is_filter = node.args.get("kind") in ("SEMI", "ANTI")
        on = node.args.get("on")
        if on is not None:
            self.predicate(on, scope)
            if node.args.get("side") == "LEFT" and truth(on) is False:
                for relation in added:
                    relation.rows = False

    def predicate(self, node: exp.Expr, scope: Scope) -> None:
        """A condition on rows: the series that it compares with stored rows are matched."""
        depends = self._expressions.depends(node, scope)
        if depends and any(relation.is_series for relation in scope.relations):
            names = {fold(column.name) for column in node.find_all(exp.Column)}
            for relation in scope.relations:
                if relation.is_series:
                    scope.matched.update(names.intersection(relation.columns))

    def add(self, node: exp.Expr, scope: Scope) -> None:
        """Add what stands in FROM to the scope."""
        check_arguments(node)
        if isinstance(node, exp.Subquery) and isinstance(node.this, exp.Table):
            self._add_parenthesised(node, scope)
            return
        if isinstance(node, exp.Table) and isinstance(node.this, exp.Identifier):
            relation = self._table(node, scope)
        elif isinstance(node, (exp.Table, exp.Unnest)):
            relation = self._generator(node, scope)
        elif isinstance(node, exp.Lateral) and isinstance(node.this, exp.Unnest):
            relation = self._generator(node.this, scope)
        else:
            inside = scope if self._dialect != "sqlite" else replace(scope, relations=[])
            body = node.this if isinstance(node, exp.Lateral) else node
            relation = Relation.of("", self._binder.query(body, inside))
        scope.relations.append(self._aliased(node, relation))
        for join in node.args.get("joins") or ():
            self.join(join, scope)

    def _add_parenthesised(self, node: exp.Subquery, scope: Scope) -> None:
        """``(a JOIN b ON …)``, under an alias or under the names inside."""
        if not node.alias:
            self.add(node.this, scope)
        else:
            inner = Scope(ctes=scope.ctes, outer=scope.outer)
            self.add(node.this, inner)
            columns = [column for each in inner.relations for column in each.expanded()]
            output = Output(columns=columns, rows=inner.rows)
            scope.relations.append(self._aliased(node, Relation.of("", output)))
        for join in node.args.get("joins") or ():
            self.join(join, scope)

    def _table(self, node: exp.Table, scope: Scope) -> Relation:
        name = fold(node.name)
        start = node.this.meta.get("start")
        if node.this.args.get("quoted") and start is not None and self._sql[start] == "'":
            raise Broken("syntax", node.name, "a text is no table's name", at=node)
        if node.args.get("db") is None and node.args.get("catalog") is None:
            return self.relation_named(node, name, scope)
        if node.catalog or fold(node.db) != "main":
            full = node.sql(self._dialect)
            raise Broken("table", full, "only tables of this database may be read", at=node)
        return self.relation_named(node, name, Scope())

    def _generator(self, node: exp.Table | exp.Unnest, scope: Scope) -> Relation:
        call = node if isinstance(node, exp.Unnest) else node.this
        if self._dialect == "sqlite" or not isinstance(call, (*_GENERATORS, exp.Unnest)):
            token = call.name or call.key
            raise Broken("table_function", token, "no table functions but generators", at=node)
        if isinstance(call, exp.Unnest):
            flags = [self._expressions.depends(value, scope) for value in call.expressions]
            depends, name = any(flags), "unnest"
        else:
            depends = self._expressions.depends(call, scope)
            is_series = isinstance(call, exp.GenerateSeries)
            exclusive = bool(call.args.get("is_end_exclusive"))
            name = ("range" if exclusive else "generate_series") if is_series else "unnest"
        # a generator of one column is called by its alias too
        columns = [(name, depends)] + ([(fold(node.alias), depends)] if node.alias else [])
        output = Output(columns=columns, rows=depends, is_series=True)
        relation = Relation.of(name, output)
        relation.ordered = columns[:1]
        return relation

    def _aliased(self, node: exp.Expr, relation: Relation) -> Relation:
        alias = node.args.get("alias")
        if alias is None:
            return relation
        check_arguments(alias)
        name = fold(alias.name)
        if name in self._tables and not (relation.is_stored and relation.name == name):
            raise Broken("alias_shadows_table", alias.name, "this name is a table's", at=alias)
        names = column_names(node)
        if names:
            output = Output(
                columns=relation.expanded(),
                rows=relation.rows,
                is_open=relation.is_open,
                is_series=relation.is_series,
            )
            if relation.is_stored:  # which of its columns are renamed is not known here
                output = Output(columns=[(n, True) for n in names] + output.columns, rows=True)
                return replace(Relation.of(name, output), is_stored=True)
            return Relation.of(name, output.renamed(names))
        relation.name = name
        return relation
