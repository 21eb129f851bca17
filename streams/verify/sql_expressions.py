"""Expressions: may they stand there, and does their value depend on stored rows?

"Depends" is decided by syntax. A constant wrapped in what cannot change it is seen through
(``max(42)``, ``coalesce(42, x)``, ``0 * x``, a CASE with one result); what merely comes out
constant (``42 + count(*) - sum(1)``, ``substr(x, 1, 0)``) is not: only another database instance
shows that.
"""

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from sqlglot import exp

from streams.verify.sandbox.database import Dialect
from streams.verify.sql_calls import Calls
from streams.verify.sql_constants import is_neutral, reachable, results_differ
from streams.verify.sql_names import Names, fold
from streams.verify.sql_nodes import is_plain
from streams.verify.sql_rejection import Broken
from streams.verify.sql_scope import Scope

if TYPE_CHECKING:
    from streams.verify.sql_bind import Binder

_RANKINGS: Final = (exp.Rank, exp.DenseRank, exp.PercentRank, exp.CumeDist)
# In DuckDB a type can be made by a name; only built-in ones are meant.
_NO_TYPES: Final = frozenset({exp.DType.USERDEFINED, exp.DType.ENUM, exp.DType.OBJECT})
_OF_TYPES: Final = (
    *(exp.DataType, exp.DataTypeParam, exp.ColumnDef, exp.Identifier, exp.Literal),
    exp.Interval,
)
_TYPES_BY_NAME: Final = frozenset({"uint8", "uint16", "uint32", "uint64", "uint128", "string"})


class Expressions:
    """Reads the expressions of one query."""

    def __init__(self, sql: str, dialect: Dialect, binder: "Binder") -> None:
        self._dialect = dialect
        self._binder = binder
        self._calls = Calls(dialect)
        self._names = Names(sql, dialect, self._calls)

    def depends(self, node: exp.Expr, scope: Scope) -> bool:
        """Whether the value depends; raises Broken where the expression may not be used."""
        handler = _HANDLERS.get(type(node))
        if handler is not None:
            return handler(self, node, scope)
        if isinstance(node, exp.Func):
            self._calls.refuse(node)
        elif not is_plain(node):
            raise Broken("syntax", node.key.upper(), "a query may not contain this", at=node)
        return self._any(node, scope)

    def refuse_clock(self) -> None:
        """Raise Broken where texts and calls of the query together read the clock."""
        self._calls.refuse_clock()

    def _any(self, node: exp.Expr, scope: Scope) -> bool:
        found = False
        for child in node.iter_expressions():
            if self.depends(child, scope):
                found = True
        return found

    def _leaf(self, _node: exp.Expr, _scope: Scope) -> bool:
        return False

    def _literal(self, node: exp.Expr, _scope: Scope) -> bool:
        if node.is_string:
            self._calls.see_text(node.this, node)
        return False

    def _star_argument(self, node: exp.Expr, _scope: Scope) -> bool:
        if any(node.args.values()):
            raise Broken("syntax", "STAR", "a query may not contain this", at=node)
        return False

    def _identifier(self, node: exp.Expr, scope: Scope) -> bool:
        return scope.parameters.get(fold(node.name), False)

    def _column(self, node: exp.Expr, scope: Scope) -> bool:
        return self._names.column(node, scope)

    def _dot(self, node: exp.Expr, scope: Scope) -> bool:
        """A field of a struct, or a function called as a method."""
        this, part = node.this, node.expression
        if isinstance(this, exp.Identifier):
            found = self._names.bare(this, scope)
        else:
            found = self.depends(this, scope)
        if isinstance(part, exp.Identifier):
            return found
        return self.depends(part, scope) or found

    def _chain(self, node: exp.Expr, scope: Scope) -> bool:
        """A chain of operators, which is as deep a tree as it is long, without recursion."""
        found = False
        while type(node) in _CHAINED:
            found |= self.depends(node.args["expression"], scope)
            node = node.this
        return self.depends(node, scope) or found

    def _cancelling(self, node: exp.Expr, scope: Scope) -> bool:
        found = self._any(node, scope)
        return found and not is_neutral(node)

    def _first(self, node: exp.Expr, scope: Scope) -> bool:
        """Only the first argument is ever in the value."""
        if isinstance(node, exp.Func):
            self._calls.refuse(node)
        found = False
        for child in node.iter_expressions():
            if self.depends(child, scope) and child is node.this:
                found = True
        return found

    def _cast(self, node: exp.Expr, scope: Scope) -> bool:
        assert isinstance(node, exp.Func)
        self._calls.refuse(node)
        self._refuse_type(node.args["to"], node)
        return self.depends(node.this, scope)

    def _refuse_type(self, to: exp.Expr, node: exp.Expr) -> None:
        for part in to.walk():
            kind = str(part.args.get("kind") or "").lower()
            made = isinstance(part, exp.DataType) and part.this in _NO_TYPES
            made = made and self._dialect != "sqlite" and kind not in _TYPES_BY_NAME
            if made or not isinstance(part, _OF_TYPES):
                raise Broken("syntax", part.sql(self._dialect), "no built-in type", at=node)

    def _date(self, node: exp.Expr, scope: Scope) -> bool:
        assert isinstance(node, exp.Func)
        self._calls.refuse(node)
        found = False
        for argument in node.iter_expressions():
            depends = self.depends(argument, scope)
            self._calls.computed_text(node, argument, depends)
            found |= depends
        return found

    def _count(self, node: exp.Expr, scope: Scope) -> bool:
        """Counting constants counts rows, but for distinct ones."""
        assert isinstance(node, exp.Func)
        self._calls.refuse(node)
        found = self._any(node, scope)
        return found or (scope.rows and not isinstance(node.this, exp.Distinct))

    def _window(self, node: exp.Expr, scope: Scope) -> bool:
        function = node.this
        while isinstance(function, (exp.Filter, exp.IgnoreNulls, exp.RespectNulls)):
            function = function.this
        over = False
        for key in ("partition_by", "order", "spec"):
            part = node.args.get(key)
            for child in part if isinstance(part, list) else [part] if part else []:
                # an Order of its own depends by its keys, unlike one inside an aggregate
                over |= (self._any if isinstance(child, exp.Order) else self.depends)(child, scope)
        if isinstance(function, exp.Identifier):  # WINDOW w AS (…)
            return False
        found = self.depends(node.this, scope)
        if isinstance(function, (exp.RowNumber, exp.Ntile)):
            return scope.rows
        if isinstance(function, _RANKINGS):
            return over or (node.args.get("alias") is not None and scope.rows)
        return found

    def _within_group(self, node: exp.Expr, scope: Scope) -> bool:
        found = self.depends(node.this, scope)
        keys = [self.depends(each, scope) for each in node.expression.expressions]
        return found or any(keys)

    def _case(self, node: exp.Expr, scope: Scope) -> bool:
        branches = [node] if isinstance(node, exp.If) else node.args["ifs"]
        default = node.args.get("false" if isinstance(node, exp.If) else "default")
        subject = None if isinstance(node, exp.If) else node.this
        decided = subject is not None and self.depends(subject, scope)
        results: list[tuple[exp.Expr, bool]] = []
        conditions: list[exp.Expr] = []
        for branch in branches:
            decided |= self.depends(branch.this, scope)
            conditions.append(branch.this)
            result = branch.args["true"]
            results.append((result, self.depends(result, scope)))
        if default is not None:
            results.append((default, self.depends(default, scope)))
        if subject is None:
            results = reachable(conditions, results)
        if any(depends for _, depends in results):
            return True
        return decided and results_differ([result for result, _ in results])

    def _coalesce(self, node: exp.Expr, scope: Scope) -> bool:
        found = False
        seen_constant = False
        for argument in (node.this, *node.expressions):
            depends = self.depends(argument, scope)
            found |= depends and not seen_constant
            seen_constant |= isinstance(argument, (exp.Literal, exp.Boolean))
        return found

    def _in(self, node: exp.Expr, scope: Scope) -> bool:
        field = node.args.get("field")
        if field is None or self._dialect != "sqlite":
            return self._any(node, scope)
        # to SQLite the word after IN is a table's name
        if not isinstance(field, exp.Column) or field.table:
            raise Broken("table", field.sql(), "no table that may be read", at=field)
        relation = self._binder.relation_named(field, fold(field.name), scope)
        return self.depends(node.this, scope) or relation.rows

    def _exists(self, node: exp.Expr, scope: Scope) -> bool:
        output = self._binder.query(node.this, scope)
        return output.rows or output.depends

    def _subquery(self, node: exp.Expr, scope: Scope) -> bool:
        return self._binder.query(node, scope).depends

    def _lambda(self, node: exp.Expr, scope: Scope) -> bool:
        names = {fold(each.name): False for each in node.expressions}
        inside = replace(scope, parameters={**scope.parameters, **names})
        return self.depends(node.this, inside)

    def _comprehension(self, node: exp.Expr, scope: Scope) -> bool:
        source = self.depends(node.args["iterator"], scope)
        names = {fold(node.expression.name): source}
        inside = replace(scope, parameters={**scope.parameters, **names})
        condition = node.args.get("condition")
        if condition is not None:
            self.depends(condition, inside)
        return self.depends(node.this, inside) or source


_CHAINED: Final = frozenset({exp.And, exp.Or, exp.Add, exp.DPipe})

_Handler = Callable[[Expressions, exp.Expr, Scope], bool]
_HANDLERS: Final[dict[type[exp.Expr], _Handler]] = {
    exp.Literal: Expressions._literal,
    exp.RawString: Expressions._literal,
    exp.ByteString: Expressions._literal,
    exp.Column: Expressions._column,
    exp.Identifier: Expressions._identifier,
    exp.Star: Expressions._star_argument,
    exp.Dot: Expressions._dot,
    exp.Case: Expressions._case,
    exp.If: Expressions._case,
    exp.Coalesce: Expressions._coalesce,
    exp.In: Expressions._in,
    exp.Exists: Expressions._exists,
    exp.Window: Expressions._window,
    exp.WithinGroup: Expressions._within_group,
    exp.Lambda: Expressions._lambda,
    exp.Comprehension: Expressions._comprehension,
    exp.Cast: Expressions._cast,
    exp.TryCast: Expressions._cast,
    exp.Date: Expressions._date,
    exp.TsOrDsToTimestamp: Expressions._date,
    exp.TsOrDsToDate: Expressions._date,
    exp.Anonymous: Expressions._date,
    **dict.fromkeys((exp.Null, exp.Boolean, exp.Var, exp.HexString), Expressions._leaf),
    **dict.fromkeys(_CHAINED, Expressions._chain),
    **dict.fromkeys(
        (exp.Sub, exp.Mul, exp.Div, exp.IntDiv, exp.Mod, exp.Pow, exp.BitwiseAnd, exp.BitwiseXor),
        Expressions._cancelling,
    ),
    **dict.fromkeys((exp.Count, exp.CountIf, exp.Sum), Expressions._count),
    **dict.fromkeys(
        (
            *(exp.ArgMax, exp.ArgMin, exp.Lag, exp.Lead, exp.NthValue, exp.Nullif),
            *(exp.Collate, exp.Filter, exp.Order, exp.Round),
        ),
        Expressions._first,
    ),
    **dict.fromkeys(
        (exp.Select, exp.Subquery, exp.Union, exp.Intersect, exp.Except, exp.Values),
        Expressions._subquery,
    ),
}
