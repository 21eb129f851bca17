r"""Reading a formula as people and LaTeX write it.

Precedence is that of Python, with ``^`` as ``**``: -x^2 is -(x^2), and x^y^z is x^(y^z). What
stands side by side is multiplied, as strongly as by ``*``: 1/2x is (1/2)·x. A function without
parentheses takes the numbers and variables up to the next sign: sin 2x is sin(2x).
"""

import re
from fractions import Fraction
from typing import Final

from streams.verify.expression import (
    ALIASES,
    CONSTANTS,
    FUNCTIONS,
    Applied,
    Constant,
    Expression,
    Number,
    Operation,
    Symbol,
)
from streams.verify.number_text import NumberInvalid, bounded, plain, undelimited

MAX_DEPTH: Final = 40
"""Each level costs about eight frames, and Python stops at a thousand."""
MAX_DIGITS: Final = 60
_MAX_TOKENS: Final = 200
"""A product of so many letters nests as deep."""

_TOKEN: Final = re.compile(
    r"\s*(?:(?P<number>\d+(?:\.\d+)?|\.\d+)|(?P<command>\\[A-Za-z]+)"
    r"|(?P<name>[A-Za-z]+)|(?P<sign>\*\*|[-+*/^()\[\]{}!|_]))",
    re.ASCII,
)
_LETTERS = (
    "alpha beta gamma delta epsilon zeta eta theta iota kappa lambda mu nu xi rho sigma tau "
    "upsilon phi chi psi omega"
)
_GREEK: Final = frozenset(_LETTERS.split())
_CLOSING: Final = {"(": ")", "{": "}", "[": "]"}
_ASSIGNED: Final = re.compile(r"[A-Za-z](?:_\w|\([A-Za-z]\))?\s*=(?!=)", re.ASCII)


def parse_expression(text: str, names: frozenset[str] = frozenset()) -> Expression:
    """The formula that the whole text is; "y =" before it is left out.

    ``names`` are variables of more than one letter. Raises ``NumberInvalid``.
    """
    formula = plain(undelimited(bounded(text))).replace("**", "^").removesuffix(".")
    assigned = _ASSIGNED.match(formula)
    if assigned:
        formula = formula[assigned.end() :]
    parser = _Parser(_tokens(formula, names))
    expression = parser.sum()
    if parser.next:
        raise NumberInvalid(f"{parser.next!r} is not expected there")
    return expression


def _tokens(formula: str, names: frozenset[str]) -> list[str]:
    tokens: list[str] = []
    position = 0
    formula = formula.rstrip()
    while position < len(formula):
        match = _TOKEN.match(formula, position)
        if match is None:
            raise NumberInvalid(f"{formula[position:].strip()[:20]!r} is no part of a formula")
        position = match.end()
        if word := match["name"]:
            tokens += _words(word, names)
        else:
            tokens.append((match["command"] or "").removeprefix("\\") or match[0].strip())
    if len(tokens) > _MAX_TOKENS:
        raise NumberInvalid(f"a formula of {len(tokens)} parts, the limit is {_MAX_TOKENS}")
    return tokens


def _words(word: str, names: frozenset[str]) -> list[str]:
    known = word in names or word in _GREEK or word in CONSTANTS or _function(word)
    return [word] if known else list(word)


def _function(word: str) -> str | None:
    name = ALIASES.get(word, word)
    return name if name in FUNCTIONS else None


class _Parser:
    """Recursive descent over the tokens."""

    def __init__(self, tokens: list[str]) -> None:
        self._tokens = tokens
        self._position = 0
        self._depth = 0

    @property
    def next(self) -> str:
        """The token to come, "" at the end."""
        return self._tokens[self._position] if self._position < len(self._tokens) else ""

    def sum(self) -> Expression:
        """Terms between ``+`` and ``-``."""
        left = self._product()
        while self.next in ("+", "-"):
            left = Operation(self._take(), left, self._product())
        return left

    def _product(self) -> Expression:
        left = self._signed()
        while True:
            if self.next in ("*", "/"):
                left = Operation(self._take(), left, self._signed())
            elif self._begins_factor():
                left = Operation("*", left, self._power())
            else:
                return left

    def _signed(self) -> Expression:
        if self.next not in ("+", "-"):
            return self._power()
        self._deeper()
        sign = self._take()
        inner = self._signed()
        self._depth -= 1
        return Applied("neg", inner) if sign == "-" else inner

    def _power(self) -> Expression:
        base = self._postfix()
        if self.next != "^":
            return base
        self._take()
        self._deeper()
        exponent = self._signed()
        self._depth -= 1
        return Operation("^", base, exponent)

    def _postfix(self) -> Expression:
        inner, depth = self._atom(), self._depth
        while self.next == "!":
            self._take()
            self._deeper()
            inner = Applied("factorial", inner)
        self._depth = depth
        return inner

    def _atom(self) -> Expression:
        token = self._take()
        if token in _CLOSING:
            return self._group(_CLOSING[token])
        if token == "|":
            return Applied("abs", self._group("|"))
        if token == "frac":
            over = self._argument()
            return Operation("/", over, self._argument())
        if function := _function(token):
            return self._applied(function, token)
        if token[:1].isdigit() or token[:1] == ".":
            return _number(token)
        if token in CONSTANTS:
            return Constant(token)
        if token[:1].isalpha():
            return Symbol(self._subscripted(token))
        raise NumberInvalid(
            f"{token!r} is not expected there" if token else "the formula breaks off"
        )

    def _applied(self, function: str, token: str) -> Expression:
        if function == "sqrt" and self.next == "[":
            self._take()
            root = self._group("]")
            return Operation("^", self._argument(), Operation("/", _number("1"), root))
        base: Expression | None = None
        if token == "log" and self.next == "_":
            self._take()
            base = self._argument()
        exponent: Expression | None = None
        if self.next == "^":
            self._take()
            exponent = self._argument()
        applied: Expression = Applied(function, self._function_argument())
        if base is not None:
            applied = Operation("/", applied, Applied("ln", base))
        return applied if exponent is None else Operation("^", applied, exponent)

    def _function_argument(self) -> Expression:
        if self.next in _CLOSING or self.next == "|" or not self._begins_factor(number=True):
            return self._postfix()
        argument = self._power()
        while self._begins_factor() and self.next not in _CLOSING and not _function(self.next):
            argument = Operation("*", argument, self._power())
        return argument

    def _argument(self) -> Expression:
        """What a command takes: a group, or the next digit or letter."""
        if self.next[:1].isdigit() and len(self.next) > 1 and self.next.isdigit():
            digit, rest = self.next[0], self.next[1:]
            self._tokens[self._position] = rest
            return _number(digit)
        return self._atom()

    def _group(self, closing: str) -> Expression:
        self._deeper()
        inner = self.sum()
        self._depth -= 1
        if self.next != closing:
            raise NumberInvalid(f"{closing!r} is missing")
        self._take()
        return inner

    def _subscripted(self, name: str) -> str:
        if self.next != "_":
            return name
        self._take()
        if self.next != "{":
            return f"{name}_{self._take()}"
        self._take()
        parts: list[str] = []
        while self.next not in ("}", ""):
            parts.append(self._take())
        self._take()
        return f"{name}_{''.join(parts)}"

    def _begins_factor(self, *, number: bool = False) -> bool:
        """Whether a factor follows without a sign. A number never follows so: 2 3 is neither 6 nor
        23."""
        token = self.next
        is_number = token[:1].isdigit() or token[:1] == "."
        return token in ("(", "{") or token[:1].isalpha() or (number and is_number)

    def _take(self) -> str:
        token = self.next
        self._position += 1
        return token

    def _deeper(self) -> None:
        self._depth += 1
        if self._depth > MAX_DEPTH:
            raise NumberInvalid(f"nested deeper than {MAX_DEPTH} levels")


def _number(digits: str) -> Number:
    if len(digits) > MAX_DIGITS:
        raise NumberInvalid(f"a number of {len(digits)} digits, the limit is {MAX_DIGITS}")
    return Number(Fraction(digits))
