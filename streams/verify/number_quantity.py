"""A number as people and models write it, with its unit, as an exact fraction."""

import re
from dataclasses import dataclass
from fractions import Fraction
from typing import Final, Literal

from streams.verify.number_text import NumberInvalid, bounded, plain, undelimited
from streams.verify.number_units import Unit, unit_named

DecimalMark = Literal["point", "comma"]

MAX_DIGITS: Final = 400
"""The largest double has 309; a number of more is a bomb or a mistake."""
MAX_EXPONENT: Final = 1000

_DECIMAL: Final = (
    r"(?:\d{1,3}(?:,\d{3})+|\d{1,3}(?: \d{3})+|\d{1,3}(?:'\d{3})+|\d+)(?:\.\d*)?|\.\d+"
)
_FRAC: Final = re.compile(r"\\frac\s*(?:\{([^{}]*)\}\s*\{([^{}]*)\}|(\d)(\d))")
_PREFIX: Final = re.compile(
    r"(?:[A-Za-z]\w{0,20}\s*)?[=≈≃]\s*|(?:approximately|about)\s+", re.ASCII
)
_SIGNED: Final = re.compile(r"(?P<sign>[-+]?)\s*(?P<unit>USD|EUR|GBP|JPY|INR|[$€£¥₹])?\s*")
_NUMBER: Final = re.compile(
    rf"(?P<sign>[-+]?)\s*(?:"
    rf"(?P<whole>\d+)\s+(?P<part>\d+)\s*/\s*(?P<parts>\d+)"
    rf"|(?P<over>{_DECIMAL})\s*/\s*(?P<under>{_DECIMAL})"
    rf"|(?:(?P<mantissa>{_DECIMAL})\s*\*\s*)?10\s*\^\s*[({{]?\s*(?P<power>[-+]?\d+)\s*[)}}]?"
    rf"|(?P<decimal>{_DECIMAL})(?:[eE](?P<exponent>[-+]?\d+))?"
    rf")",
    re.ASCII,
)
_SCALES: Final = {"thousand": 3, "million": 6, "billion": 9, "trillion": 12}
_SCALE: Final = re.compile(rf"\s*({'|'.join(_SCALES)})(?![A-Za-z])", re.IGNORECASE)
_PERCENT: Final = re.compile(r"\s*(?:%|per ?cent(?![A-Za-z])|pct(?![A-Za-z]))", re.IGNORECASE)
# No second number may hide behind the first: digits are powers here.
_UNIT_WORD: Final = r"[A-Za-zµΩ°$€£¥₹¢]+(?:\^\(?-?\d\)?)?"
_UNIT_PHRASE: Final = re.compile(rf"{_UNIT_WORD}(?:[ */·-]{_UNIT_WORD}){{0,3}}")
_NOT_UNITS: Final = frozenset({"or", "and", "to", "not", "inf", "nan", "pi", "e"})


@dataclass(frozen=True, kw_only=True)
class Quantity:
    """An exact number; ``unit`` is None where none is written, ``percent`` where a sign stands."""

    value: Fraction
    unit: Unit | None = None
    percent: bool = False


def parse_quantity(text: str, decimal: DecimalMark = "point") -> Quantity:
    r"""The number that the whole text is. Raises ``NumberInvalid``.

    Read are signs of any script, thousands separators (comma, space, apostrophe; in groups of
    three or not at all), scientific notation (1e5, 1.2×10⁵), fractions and mixed numbers (a/b,
    1 a/b, ½, \frac), percent, currency before or behind, words from thousand to trillion, and a
    unit. With ``decimal`` comma the parts that comma and point play are exchanged.
    """
    rest = plain(undelimited(bounded(text)))
    if decimal == "comma":
        rest = rest.translate({ord(","): ".", ord("."): ","})
    rest = _FRAC.sub(_fraction, rest).strip().removesuffix(".") if "\\" in rest else rest.strip()
    rest = _PREFIX.sub("", rest, count=1) if _PREFIX.match(rest) else rest
    signed = _SIGNED.match(rest)
    assert signed is not None
    number = _NUMBER.match(rest, signed.end())
    if number is None or (signed["sign"] and number["sign"]):
        raise NumberInvalid(f"{_shown(text)} is no number")
    value = _value(number)
    if signed["sign"] == "-" or number["sign"] == "-":
        value = -value
    value, percent, suffix = _suffixes(value, rest[number.end() :])
    if suffix and (signed["unit"] or not _is_unit(suffix)):
        raise NumberInvalid(f"{_shown(text)} is no number: {_shown(suffix)} is left over")
    name = signed["unit"] or suffix
    return Quantity(value=value, unit=unit_named(name) if name else None, percent=percent)


def _suffixes(value: Fraction, rest: str) -> tuple[Fraction, bool, str]:
    if scale := _SCALE.match(rest):
        value *= 10 ** _SCALES[scale[1].lower()]
        rest = rest[scale.end() :]
    percent = _PERCENT.match(rest)
    if percent:
        rest = rest[percent.end() :]
    suffix = re.sub(r"\s*\^\s*", "^", " ".join(rest.split()))
    return value, percent is not None, suffix.removesuffix(".").strip()


def _is_unit(text: str) -> bool:
    words = text.casefold().split()
    return _UNIT_PHRASE.fullmatch(text) is not None and not _NOT_UNITS.intersection(words)


def _fraction(match: re.Match[str]) -> str:
    over, under = (match[1], match[2]) if match[1] is not None else (match[3], match[4])
    return f" {over}/{under}"


def _value(number: re.Match[str]) -> Fraction:
    try:
        if number["whole"]:
            return _decimal(number["whole"]) + _decimal(number["part"]) / _decimal(number["parts"])
        if number["over"]:
            return _decimal(number["over"]) / _decimal(number["under"])
        if number["power"]:
            return _decimal(number["mantissa"] or "1") * _power_of_ten(number["power"])
        return _decimal(number["decimal"]) * _power_of_ten(number["exponent"] or "0")
    except ZeroDivisionError:
        raise NumberInvalid("a fraction over zero") from None


def _decimal(text: str) -> Fraction:
    digits = text.translate({ord(","): None, ord(" "): None, ord("'"): None})
    if len(digits) > MAX_DIGITS:
        raise NumberInvalid(f"a number of {len(digits)} digits")
    return Fraction(digits if digits[-1] != "." else digits[:-1])


def _power_of_ten(exponent: str) -> Fraction:
    if len(exponent) > 6 or abs(int(exponent)) > MAX_EXPONENT:
        raise NumberInvalid(f"the exponent {_shown(exponent)} is out of range")
    return Fraction(10) ** int(exponent)


def _shown(text: str) -> str:
    return repr(text if len(text) <= 60 else f"{text[:60]}…")
