"""Values written out in test code, found without running it."""

import ast
import math
import operator
from collections.abc import Callable, Mapping
from typing import Any

_BINARY: dict[type[ast.operator], Callable[[Any, Any], Any]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.FloorDiv: operator.floordiv,
    ast.Mod: operator.mod,
    ast.Pow: operator.pow,
}
_UNARY: dict[type[ast.unaryop], Callable[[Any], Any]] = {
    ast.UAdd: operator.pos,
    ast.USub: operator.neg,
    ast.Not: operator.not_,
}
_CALLS: dict[str, Callable[..., Any]] = {
    "float": float,
    "set": set,
    "frozenset": frozenset,
    "tuple": tuple,
    "list": list,
    "dict": dict,
    "complex": complex,
}
_CONSTANTS = {"inf": math.inf, "nan": math.nan, "pi": math.pi, "e": math.e, "tau": math.tau}
_LARGEST_POWER = 4096
_LONGEST = 100_000


class NoLiteral(ValueError):
    """The expression is not written out."""


def literal(node: ast.expr, names: Mapping[str, Any]) -> Any:
    """The value of a literal, of arithmetic on literals, or of a name in ``names``.

    Raises NoLiteral where it is anything else, or too large to be worked out here.
    """
    try:
        return _value(node, names)
    except (ValueError, TypeError, ArithmeticError, RecursionError) as error:
        raise NoLiteral(str(error)) from None


def _value(node: ast.expr, names: Mapping[str, Any]) -> Any:
    match node:
        case ast.Constant(value=value) if value is not ...:
            return value
        case ast.Name(id=name) if name in names:
            return names[name]
        case ast.List(elts=items):
            return [_value(item, names) for item in items]
        case ast.Tuple(elts=items):
            return tuple(_value(item, names) for item in items)
        case ast.Set(elts=items):
            return {_value(item, names) for item in items}
        case ast.Dict(keys=keys, values=values) if None not in keys:
            pairs = zip((key for key in keys if key is not None), values, strict=True)
            return {_value(key, names): _value(value, names) for key, value in pairs}
        case ast.UnaryOp(op=sign, operand=operand) if type(sign) in _UNARY:
            return _UNARY[type(sign)](_value(operand, names))
        case ast.BinOp(left=left, op=sign, right=right) if type(sign) in _BINARY:
            return _arithmetic(sign, _value(left, names), _value(right, names))
        case ast.Call(func=ast.Name(id=name), args=arguments, keywords=[]) if name in _CALLS:
            return _CALLS[name](*(_value(argument, names) for argument in arguments))
        case ast.Attribute(value=ast.Name(id="math"), attr=name) if name in _CONSTANTS:
            return _CONSTANTS[name]
    raise NoLiteral(f"{ast.unparse(node)[:80]} is not written out")


def _arithmetic(sign: ast.operator, one: Any, other: Any) -> Any:
    if isinstance(sign, ast.Pow) and abs(other) > _LARGEST_POWER:
        raise NoLiteral("too large a power")
    if isinstance(sign, (ast.Mult, ast.Pow)):
        for value, times in ((one, other), (other, one)):
            if isinstance(value, (str, bytes, list, tuple)) and len(value) * times > _LONGEST:
                raise NoLiteral("too long a sequence")
            if isinstance(value, int) and value.bit_length() > _LONGEST:
                raise NoLiteral("too large a number")
    return _BINARY[type(sign)](one, other)
