"""Two formulas at the same points: what settles all but the equal ones, without algebra."""

import cmath
import math
import random
from collections.abc import Callable, Mapping
from enum import Enum
from typing import Final

from streams.verify.expression import (
    Applied,
    Assumption,
    Constant,
    Expression,
    Number,
    Operation,
    Symbol,
    symbols,
)

_POINTS: Final = 12
_RELATIVE: Final = 1e-6
# Rounding is at most this share of the largest value met on the way.
_ROUNDING: Final = 1e-12
_FUNCTIONS: Final[Mapping[str, Callable[[complex], complex]]] = {
    "neg": lambda z: -z,
    "sin": cmath.sin,
    "cos": cmath.cos,
    "tan": cmath.tan,
    "cot": lambda z: 1 / cmath.tan(z),
    "sec": lambda z: 1 / cmath.cos(z),
    "csc": lambda z: 1 / cmath.sin(z),
    "asin": cmath.asin,
    "acos": cmath.acos,
    "atan": cmath.atan,
    "sinh": cmath.sinh,
    "cosh": cmath.cosh,
    "tanh": cmath.tanh,
    "exp": cmath.exp,
    "ln": cmath.log,
    "sqrt": cmath.sqrt,
    "abs": lambda z: complex(abs(z)),
}
_CONSTANTS: Final[Mapping[str, complex]] = {"pi": cmath.pi, "e": cmath.e, "i": 1j}


class Sampled(Enum):
    """What the points tell."""

    DIFFERENT = "different"
    AGREE = "agree"
    UNKNOWN = "unknown"
    """No point where both can be evaluated in doubles."""


def sample(expected: Expression, given: Expression, assume: Assumption) -> Sampled:
    """Evaluate both at the same pseudo-random points.

    DIFFERENT where they differ at any by more than rounding can explain, or where ``given`` has a
    value at none though ``expected`` does: so a formula too large to compute loses, and costs
    nothing.
    """
    chance = random.Random(0)
    names = sorted(symbols(expected) | symbols(given))
    compared = defined = 0
    for _ in range(_POINTS if names else 1):
        point = {name: _value(chance, assume) for name in names}
        wanted, found = _evaluate(expected, point), _evaluate(given, point)
        if wanted is None:
            continue
        defined += 1
        if found is None:
            continue
        compared += 1
        (a, largest), (b, largest_too) = wanted, found
        allowed = _RELATIVE * max(1.0, abs(a), abs(b)) + _ROUNDING * max(largest, largest_too)
        if abs(a - b) > allowed:
            return Sampled.DIFFERENT
    if compared:
        return Sampled.AGREE
    return Sampled.DIFFERENT if defined else Sampled.UNKNOWN


def value_of(expression: Expression) -> complex | None:
    """The value of a formula without variables, None where doubles cannot hold it."""
    found = _evaluate(expression, {})
    return found[0] if found else None


def _value(chance: random.Random, assume: Assumption) -> complex:
    size = chance.uniform(0.3, 2.5)
    if assume == "positive":
        return complex(size)
    if assume == "complex":
        return cmath.rect(size, chance.uniform(-3.0, 3.0))
    return complex(chance.choice((size, -size)))


def _evaluate(expression: Expression, point: Mapping[str, complex]) -> tuple[complex, float] | None:
    """The value, and the largest absolute value met on the way."""
    largest = 0.0

    def walk(part: Expression) -> complex:
        nonlocal largest
        value = _one(part, point, walk)
        if not cmath.isfinite(value):
            raise OverflowError
        largest = max(largest, abs(value))
        return value

    try:
        return walk(expression), largest
    except (OverflowError, ZeroDivisionError, ValueError):
        return None


def _one(
    part: Expression, point: Mapping[str, complex], walk: Callable[[Expression], complex]
) -> complex:
    match part:
        case Number(value):
            return complex(float(value))
        case Constant(name):
            return _CONSTANTS[name]
        case Symbol(name):
            return point[name]
        case Operation(operator, left, right):
            return _operate(operator, walk(left), walk(right))
        case Applied("factorial", argument):
            return _factorial(walk(argument))
        case Applied(function, argument):
            return _FUNCTIONS[function](walk(argument))


def _operate(operator: str, left: complex, right: complex) -> complex:
    match operator:
        case "+":
            return left + right
        case "-":
            return left - right
        case "*":
            return left * right
        case "/":
            return left / right
    if not left.imag and not right.imag and (left.real > 0 or right.real.is_integer()):
        return complex(left.real**right.real)  # exact on the real line, where complex powers drift
    return complex(left**right)


def _factorial(value: complex) -> complex:
    if value.imag:
        raise ValueError("the factorial of a complex number")
    return complex(math.gamma(value.real + 1))
