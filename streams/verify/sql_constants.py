"""Constants in disguise: what an expression can only ever give, read from its syntax."""

from collections.abc import Sequence

from sqlglot import exp


def is_neutral(node: exp.Expr) -> bool:
    """Whether the operator's value cannot change with its operand: ``0 * x``, ``x - x``."""
    left, right = node.this.unnest(), node.args["expression"].unnest()
    if isinstance(node, (exp.Mul, exp.BitwiseAnd)):
        return _is_number(left, 0) or _is_number(right, 0)
    if isinstance(node, exp.Pow):
        return _is_number(right, 0) or _is_number(left, 1)
    if isinstance(node, exp.Mod) and _is_number(right, 1):
        return True
    return bool(left == right) and not isinstance(node, exp.Pow)


def reachable(
    conditions: Sequence[exp.Expr], results: list[tuple[exp.Expr, bool]]
) -> list[tuple[exp.Expr, bool]]:
    """The results of a CASE that its literal conditions leave; the last may have none (ELSE)."""
    left: list[tuple[exp.Expr, bool]] = []
    for position, result in enumerate(results):
        decided = truth(conditions[position]) if position < len(conditions) else None
        if decided is not False:
            left.append(result)
        if decided:
            break
    return left


def results_differ(results: Sequence[exp.Expr]) -> bool:
    """Whether there are two different results besides NULL."""
    return len({each.sql() for each in results if not isinstance(each.unnest(), exp.Null)}) > 1


def _is_number(node: exp.Expr, value: int) -> bool:
    if not isinstance(node, exp.Literal) or node.is_string:
        return False
    try:
        return float(node.this) == value
    except ValueError:
        return False


def truth(condition: exp.Expr) -> bool | None:
    """What a condition of literals comes to; None for any other."""
    condition = condition.unnest()
    if isinstance(condition, exp.Boolean):
        return bool(condition.this)
    if isinstance(condition, exp.Null):
        return False
    if isinstance(condition, exp.Literal) and not condition.is_string:
        return not _is_number(condition, 0)
    if isinstance(condition, exp.EQ | exp.NEQ):
        left, right = condition.this.unnest(), condition.expression.unnest()
        if isinstance(left, exp.Literal) and isinstance(right, exp.Literal):
            return bool(left == right) == isinstance(condition, exp.EQ)
    return None
