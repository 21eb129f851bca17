"""Values near a constant: what a query with another operator or constant would take for it."""

import re
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Final

from streams.verify.sandbox.result import Value

_ISO_DATE: Final = re.compile(r"\d{4}-\d{2}-\d{2}")
_YEAR: Final = re.compile(r"(1[5-9]|2[01])\d\d")
_PATTERN: Final = re.compile(r"[%_*?]")


def planted(constant: Value, known: tuple[Value, ...]) -> list[Value]:
    """What is put into a column that is compared with the constant, the constant itself first.

    ``known`` are values of the column: what is planted is of their type where that can be, so that
    a year becomes dates of that year, and a number a text where the column holds texts.
    """
    example = known[0] if known else constant
    if isinstance(constant, str) and not isinstance(example, str):
        constant = _as_type_of(example, constant)
    elif isinstance(constant, (int, float)) and isinstance(example, str):
        constant = str(constant)
    if isinstance(constant, str) and _YEAR.fullmatch(constant) and _is_date(example):
        return [
            year + str(value)[4:]
            for value in known[:3]
            for year in (constant, str(int(constant) - 1), str(int(constant) + 1))
        ]
    if isinstance(constant, int) and isinstance(example, date):
        days = [value for value in known[:3] if isinstance(value, date)]
        return [_in_year(day, constant + step) for day in days for step in (0, -1, 1)]
    return list(dict.fromkeys((constant, *_near(constant))))


def _near(value: Value) -> Iterator[Value]:
    if isinstance(value, bool):
        yield not value
    elif isinstance(value, (int, Decimal)):
        yield from (value - 1, value + 1)
    elif isinstance(value, float):
        yield from (value - 1, value + 1, value * 1.01)
    elif isinstance(value, date):  # a datetime is one too
        yield from (value - timedelta(days=1), value + timedelta(days=1))
    elif isinstance(value, str):
        yield from _near_text(value)


def _near_text(text: str) -> Iterator[str]:
    if _PATTERN.search(text):
        bare = _PATTERN.sub("", text)
        yield from (bare, f"a{bare}z", f"{bare}z", f"a{bare}")
        return
    if _ISO_DATE.match(text):
        try:
            day = date.fromisoformat(text[:10])
        except ValueError:
            return
        yield from (str(day + timedelta(days=step)) + text[10:] for step in (-1, 1))
        return
    try:
        number = int(text)
    except ValueError:
        yield from (f"{text}z", text[:-1], text.swapcase())
    else:
        yield from (str(number - 1), str(number + 1))


def _as_type_of(example: Value, text: str) -> Value:
    try:
        if isinstance(example, datetime):
            return datetime.fromisoformat(text)
        if isinstance(example, date):
            return date.fromisoformat(text)
        if isinstance(example, (int, float)):
            number = float(text)
            return int(number) if number.is_integer() else number
    except ValueError:
        pass
    return text


def _is_date(value: Value) -> bool:
    return isinstance(value, str) and _ISO_DATE.match(value) is not None


def _in_year(value: date, year: int) -> Value:
    try:
        return value.replace(year=year)
    except ValueError:  # no such year, or the 29th of February
        return value
