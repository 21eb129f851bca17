"""Values near a constant: what a query with another operator or constant would take for it."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Final

from streams.verify.sandbox.result import Value

_ISO_DATE: Final = re.compile(r"\d{4}-\d{2}-\d{2}")
_YEAR: Final = re.compile(r"(?:1[5-9]|2[01])\d\d")
_PATTERN: Final = re.compile(r"[%_*?]")

# A year is asked for by its number, its quarter or month beside it: a day of each quarter.
_QUARTERS: Final = (2, 5, 8, 11)


@dataclass(frozen=True, kw_only=True)
class Planted:
    """What is put into a column that is compared with a constant: what the constant asks for, and
    what lies beside it.
    """

    exact: tuple[Value, ...] = ()
    near: tuple[Value, ...] = ()


def planted(constant: Value, known: tuple[Value, ...]) -> Planted:
    """The values around a constant.

    ``known`` are values of the column: what is planted is of their type, so that a year becomes
    dates of that year, and a number a text where the column holds texts. Nothing is planted where
    the column cannot hold it: 'Q2', compared with what a view makes of a date, is no date.
    """
    example = known[0] if known else constant
    if _holds_days(example) and not isinstance(constant, date):
        return _days(constant, known, example)
    if isinstance(constant, str) and not isinstance(example, str):
        constant = _as_type_of(example, constant)
        if isinstance(constant, str):
            return Planted()
    elif isinstance(constant, (int, float)) and isinstance(example, str):
        constant = str(constant)
    near = tuple(each for each in dict.fromkeys(_near(constant)) if each != constant)
    return Planted(exact=(constant,), near=near)


def _days(constant: Value, known: tuple[Value, ...], example: Value) -> Planted:
    """For a column of days: those of a year, or around a day."""
    text = str(constant)
    if _YEAR.fullmatch(text):
        spread = [*known[:3], *(_in_month(known[0], month) for month in _QUARTERS)]
        year = int(text)
        return Planted(
            exact=tuple(dict.fromkeys(_in_year(day, year) for day in spread)),
            near=tuple(_in_year(day, year + step) for day in known[:3] for step in (-1, 1)),
        )
    day = _as_type_of(example, text)
    if not _ISO_DATE.match(text) or (day == text and not isinstance(example, str)):
        return Planted()
    return Planted(exact=(day,), near=tuple(_near(day)))


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


def _holds_days(value: Value) -> bool:
    return isinstance(value, date) or (
        isinstance(value, str) and _ISO_DATE.match(value) is not None
    )


def _in_year(day: Value, year: int) -> Value:
    if isinstance(day, str):
        return f"{year}{day[4:]}"
    assert isinstance(day, date)
    try:
        return day.replace(year=year)
    except ValueError:  # no such year, or the 29th of February
        return day


def _in_month(day: Value, month: int) -> Value:
    if isinstance(day, str):
        return f"{day[:5]}{month:02d}-15{day[10:]}"
    assert isinstance(day, date)
    return day.replace(month=month, day=15)
