"""Formulas: a small grammar of our own, read into a tree of plain values.

Nothing of the text is ever evaluated as Python: no name but the listed ones means anything, and
there is no call, attribute, index or string to be written in it.
"""

from dataclasses import dataclass
from fractions import Fraction
from typing import Final, Literal, TypeAlias

Assumption = Literal["real", "positive", "complex"]

_FUNCTIONS = "sin cos tan cot sec csc asin acos atan sinh cosh tanh exp ln sqrt abs"
FUNCTIONS: Final = frozenset(_FUNCTIONS.split())
"""The functions that a formula may use; the logarithm is natural."""
ALIASES: Final = {"arcsin": "asin", "arccos": "acos", "arctan": "atan", "log": "ln"}
CONSTANTS: Final = frozenset({"pi", "e", "i"})


@dataclass(frozen=True)
class Number:
    """An exact number: 0.5 is a half."""

    value: Fraction


@dataclass(frozen=True)
class Constant:
    """One of ``CONSTANTS``; i is the imaginary unit."""

    name: str


@dataclass(frozen=True)
class Symbol:
    """A variable."""

    name: str


@dataclass(frozen=True)
class Operation:
    """``+ - * / ^`` of two parts."""

    operator: str
    left: "Expression"
    right: "Expression"


@dataclass(frozen=True)
class Applied:
    """One of ``FUNCTIONS``, ``neg`` or ``factorial`` of one part."""

    function: str
    argument: "Expression"


Expression: TypeAlias = Number | Constant | Symbol | Operation | Applied

Packed: TypeAlias = "list[str | Packed]"


def pack(expression: Expression) -> Packed:
    """As JSON, for the sandbox."""
    match expression:
        case Number(value):
            return ["number", str(value.numerator), str(value.denominator)]
        case Constant(name):
            return ["constant", name]
        case Symbol(name):
            return ["symbol", name]
        case Operation(operator, left, right):
            return [operator, pack(left), pack(right)]
        case Applied(function, argument):
            return ["apply", function, pack(argument)]


def symbols(expression: Expression) -> frozenset[str]:
    """The names of all variables."""
    match expression:
        case Symbol(name):
            return frozenset({name})
        case Operation(_, left, right):
            return symbols(left) | symbols(right)
        case Applied(_, argument):
            return symbols(argument)
        case _:
            return frozenset()
