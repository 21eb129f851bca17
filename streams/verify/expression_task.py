"""Whether two formulas are equal, by algebra: runs in the sandbox, under its clock.

The formulas come as trees of ``expression.pack``, so no text reaches SymPy's parser, which would
evaluate it as Python.
"""

from itertools import count, islice
from typing import Any, Final

import sympy

from streams.verify.expression import FUNCTIONS

# An exponent or factorial of more is not computed: it would take the child's memory, and SymPy
# works powers of integers out when they are written down.
_MAX_EXPONENT: Final = 2000
_MAX_FACTORIAL: Final = 500
_POINTS: Final = 4
_DIGITS: Final = 30

_FUNCTIONS: Final[dict[str, Any]] = {
    "neg": lambda x: -x,
    "abs": sympy.Abs,
    "ln": sympy.log,
} | {name: getattr(sympy, name) for name in FUNCTIONS - {"abs", "ln"}}
_CONSTANTS: Final[dict[str, Any]] = {"pi": sympy.pi, "e": sympy.E, "i": sympy.I}
_ASSUMED: Final[dict[str, dict[str, bool]]] = {
    "real": {"real": True},
    "positive": {"positive": True},
    "complex": {},
}


class TooLarge(ValueError):
    """A number that is not worked out."""


def run(request: dict[str, Any]) -> dict[str, str]:
    """{"expected", "given", "assume"} to {"verdict": equal | different | unknown}."""
    assumed = _ASSUMED[request["assume"]]
    try:
        expected, given = (_build(request[name], assumed) for name in ("expected", "given"))
    except TooLarge as error:
        return {"verdict": "unknown", "reason": str(error)}
    difference = expected - given
    if difference == 0:
        return {"verdict": "equal"}
    if _differs_at_a_point(difference):
        return {"verdict": "different"}
    for simpler in (sympy.expand, sympy.simplify, _exponential):
        if simpler(difference) == 0:
            return {"verdict": "equal"}
    proven = difference.equals(0)
    verdict = {True: "equal", False: "different"}.get(proven, "unknown")
    return {"verdict": verdict, "reason": "neither proven nor refuted"}


def _exponential(expression: Any) -> Any:
    return sympy.simplify(expression.rewrite(sympy.exp))


def _differs_at_a_point(difference: Any) -> bool:
    """Whether it is not zero, to 30 digits, at a few rational points."""
    symbols = sorted(difference.free_symbols, key=str)
    for number in islice(count(3), _POINTS):
        point = {
            symbol: sympy.Rational(7 * number + 2 * place + 1, 5 * number + place + 3)
            for place, symbol in enumerate(symbols)
        }
        value = difference.subs(point).evalf(_DIGITS, chop=False)
        size = sympy.Abs(value)
        # Where it is zero evalf gives up on its digits, and what it returns has precision 1.
        if size.is_Float and size._prec > 1 and size > sympy.Float("1e-20"):
            return True
    return False


def _build(packed: Any, assumed: dict[str, bool]) -> Any:
    match packed:
        case ["number", numerator, denominator]:
            return sympy.Rational(int(numerator), int(denominator))
        case ["constant", name]:
            return _CONSTANTS[name]
        case ["symbol", name]:
            return sympy.Symbol(name, **assumed)
        case ["apply", "factorial", argument]:
            return _factorial(_build(argument, assumed))
        case ["apply", function, argument]:
            return _FUNCTIONS[function](_build(argument, assumed))
        case [operator, left, right]:
            return _operate(operator, _build(left, assumed), _build(right, assumed))
    raise ValueError("not an expression")


def _operate(operator: str, left: Any, right: Any) -> Any:
    match operator:
        case "+":
            return left + right
        case "-":
            return left - right
        case "*":
            return left * right
        case "/":
            return left / right
        case "^":
            if right.is_number and abs(right.evalf(5)) > _MAX_EXPONENT:
                raise TooLarge("a power too large to be worked out")
            return left**right
    raise ValueError("not an operator")


def _factorial(argument: Any) -> Any:
    if argument.is_number and abs(argument.evalf(5)) > _MAX_FACTORIAL:
        raise TooLarge("a factorial too large to be worked out")
    return sympy.factorial(argument)
