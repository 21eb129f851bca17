"""Which parts a node of a query may have: everything else is refused, so that syntax which sqlglot
learns later is refused too.
"""

from typing import Final

from sqlglot import exp

from streams.verify.sql_names import fold
from streams.verify.sql_rejection import Broken

MODIFIERS: Final = frozenset({"order", "limit", "offset"})
_MAY_HAVE: Final[dict[type[exp.Expr], frozenset[str]]] = {
    exp.Select: MODIFIERS
    | {"with_", "expressions", "from_", "joins", "where", "group", "having", "qualify"}
    | {"windows", "distinct"},
    exp.Subquery: MODIFIERS | {"with_", "this", "alias", "joins"},
    exp.Values: MODIFIERS | {"with_", "expressions", "alias"},
    exp.Table: frozenset({"this", "db", "catalog", "alias", "joins"}),
    exp.Lateral: frozenset({"this", "alias", "view", "outer"}),
    exp.Unnest: frozenset({"expressions", "alias"}),
    exp.Join: frozenset({"this", "on", "using", "side", "kind", "method"}),
    exp.CTE: frozenset({"this", "alias", "materialized"}),
    exp.TableAlias: frozenset({"this", "columns"}),
    exp.With: frozenset({"expressions", "recursive"}),
    exp.From: frozenset({"this"}),
}
_SET_OPERATION: Final = MODIFIERS | {"with_", "this", "expression", "distinct", "by_name"}


def check_arguments(node: exp.Expr) -> None:
    """Refuse what the node has beyond what is read here, such as samples and versions."""
    known = _SET_OPERATION if isinstance(node, exp.SetOperation) else _MAY_HAVE.get(type(node))
    if known is None:
        raise Broken("syntax", node.key.upper(), "a query may not contain this", at=node)
    for key, value in node.args.items():
        if value and key not in known:
            part = value[0] if isinstance(value, list) else value
            token = part.key.upper() if isinstance(part, exp.Expr) else key.upper()
            at = part if isinstance(part, exp.Expr) else node
            raise Broken("syntax", token, "a query may not contain this", at=at)


def column_names(node: exp.Expr) -> list[str]:
    """The columns that an alias names: ``AS t(a, b)``."""
    alias = node.args.get("alias")
    return [fold(column.name) for column in alias.args.get("columns") or ()] if alias else []
