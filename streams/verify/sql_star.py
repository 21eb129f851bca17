"""The columns that ``*`` and ``t.*`` stand for, with EXCLUDE, REPLACE and RENAME."""

from collections.abc import Sequence

from sqlglot import exp

from streams.verify.sandbox.database import Dialect
from streams.verify.sql_expressions import Expressions
from streams.verify.sql_names import fold
from streams.verify.sql_rejection import Broken
from streams.verify.sql_scope import Output, Scope


class Stars:
    """Expands the stars of one query."""

    def __init__(self, dialect: Dialect, expressions: Expressions) -> None:
        self._dialect = dialect
        self._expressions = expressions

    def columns(
        self, projection: exp.Expr, scope: Scope, output: Output
    ) -> list[tuple[str, bool]] | None:
        """The columns of ``*`` or ``t.*``; None where the projection is something else."""
        star, relations = projection, scope.relations
        if isinstance(projection, exp.Column) and isinstance(projection.this, exp.Star):
            star, name = projection.this, fold(projection.table)
            relations = [relation for relation in relations if relation.name == name]
        elif not isinstance(star, exp.Star):
            return None
        if not relations:
            struct = self._struct(projection, scope)
            if struct is not None:
                output.is_open = True
                return [("", struct)]
            raise Broken("table", projection.sql(), "no table of this name is in scope", at=star)
        columns: list[tuple[str, bool]] = []
        for relation in relations:
            output.is_open |= relation.is_open
            if not relation.is_filter or star is not projection:
                merged = relation.joined_by if star is projection else ()
                columns += [each for each in relation.expanded() if each[0] not in merged]
        return self._left(star, columns, scope)

    def _left(
        self, star: exp.Star, columns: list[tuple[str, bool]], scope: Scope
    ) -> list[tuple[str, bool]]:
        """The columns that ``*`` leaves after its EXCLUDE, REPLACE and RENAME."""
        if not star.args:
            return columns
        excluded = self._listed(star.args.get("except_") or (), columns)
        self._listed([each.this for each in star.args.get("rename") or ()], columns)
        replaced = {
            fold(each.alias): self._expressions.depends(each, scope)
            for each in star.args.get("replace") or ()
        }
        renamed = {fold(each.this.name): fold(each.alias) for each in star.args.get("rename") or ()}
        return [
            (renamed.get(name, name), replaced.get(name, depends))
            for name, depends in columns
            if name not in excluded
        ]

    def _struct(self, node: exp.Expr, scope: Scope) -> bool | None:
        """Whether ``column.*`` depends, where the column is a struct's; None for no column."""
        if self._dialect == "sqlite" or not isinstance(node, exp.Column):
            return None
        return scope.column(fold(node.table), dialect=self._dialect, quoted=False)

    def _listed(self, named: Sequence[exp.Expr], columns: list[tuple[str, bool]]) -> frozenset[str]:
        known = {name for name, _ in columns}
        for each in named:
            if fold(each.name) not in known and "" not in known:
                raise Broken("column", each.name, "no column of *", at=each)
        return frozenset(fold(each.name) for each in named)
