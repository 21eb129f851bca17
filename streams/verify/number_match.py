"""An answer's number, interval or list against the expected one."""

import re
from dataclasses import dataclass
from fractions import Fraction
from typing import Final

from streams.verify.number_collection import (
    matching_share,
    parse_intervals,
    parse_list,
    same_intervals,
)
from streams.verify.number_params import NumericParams, NumericUnusable
from streams.verify.number_quantity import Quantity, parse_quantity
from streams.verify.number_text import NumberInvalid, extract_number
from streams.verify.number_units import Unit, convert, is_known, unit_named

VERSION: Final = "2"

_TRAILING_WORD: Final = re.compile(r"\s*[A-Za-zµΩ]+(?:/[A-Za-z]+)?(?:\^\(?\d\)?)?$", re.ASCII)
# "$12 in total": what has a currency has its unit, and "in" is more often a word than inches.
_UNIT_BEFORE: Final = re.compile(r"[-+]?\s*(?:USD|[$€£¥₹])")
_PROSE: Final = "in"


@dataclass(frozen=True, kw_only=True)
class NumberComparison:
    """``score`` is the share that is right, in [0, 1]; 1 is equal."""

    score: float
    evidence: str


def compare_numbers(spec: str, answer: str, params: NumericParams) -> NumberComparison:
    """For every ``kind`` but expression. Raises ``NumericUnusable`` for the expected value, and
    ``NumberInvalid`` where the answer holds no such thing.
    """
    target = _target(spec, params)
    expected = _Reader(params, target, unit_optional=True)
    given = _Reader(params, target, unit_optional=params.unit_optional)
    try:
        match params.kind:
            case "interval":
                wanted_intervals = parse_intervals(spec, expected.read)
            case "list":
                wanted_list = parse_list(spec, expected.read)
            case _:
                wanted = expected.read(spec)
    except NumberInvalid as error:
        raise NumericUnusable(f"the expected value: {error}") from None
    text = extract_number(answer, params.rule, params.tag)
    match params.kind:
        case "interval":
            found_intervals = parse_intervals(text, given.read)
            score = float(same_intervals(wanted_intervals, found_intervals, params.near))
        case "list":
            found_list = parse_list(text, given.read)
            score = matching_share(wanted_list, found_list, params.order, params.near)
        case _:
            score = float(params.near(wanted, given.read_loosely(text, params)))
    return NumberComparison(score=score, evidence=f"{text!r}, expected {spec!r}")


def _target(spec: str, params: NumericParams) -> Unit | None:
    """The unit to compare in: the declared one, else the one that a single expected number has."""
    if params.unit is not None:
        return unit_named(params.unit)
    if params.kind != "number":
        return None
    try:
        return parse_quantity(spec, params.decimal).unit
    except NumberInvalid:
        return None  # said again, and in full, when it is read


@dataclass(frozen=True)
class _Reader:
    params: NumericParams
    target: Unit | None
    unit_optional: bool

    def read(self, text: str) -> Fraction:
        """The number in the target unit."""
        quantity = parse_quantity(text, self.params.decimal)
        if quantity.percent and self.params.percent == "fraction":
            quantity = Quantity(value=quantity.value / 100, unit=quantity.unit)
        if self.target is None:
            return quantity.value
        if quantity.unit is None:
            if not self.unit_optional:
                raise NumberInvalid(f"{text.strip()[:60]!r} names no unit")
            return quantity.value
        converted = convert(quantity.value, quantity.unit, self.target)
        if converted is None:
            raise NumberInvalid(f"the unit of {text.strip()[:60]!r} measures something else")
        return converted

    def read_loosely(self, text: str, params: NumericParams) -> Fraction:
        """In running text the word behind a number need not be its unit: "5 or so"."""
        try:
            return self.read(text)
        except NumberInvalid:
            word = _TRAILING_WORD.search(text)
            if params.rule != "last_number" or word is None:
                raise
            may_be_prose = _UNIT_BEFORE.match(text) or word[0].strip() == _PROSE
            if is_known(word[0]) and not may_be_prose:
                raise
            return self.read(text[: word.start()])
