"""Intervals and lists of numbers, and how two of them are compared."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Final, Literal, TypeAlias

from streams.verify.number_text import NumberInvalid, bounded, plain, undelimited

ListOrder = Literal["ordered", "set"]

MAX_ELEMENTS: Final = 200

Bound: TypeAlias = Fraction | Literal["-inf", "inf"]
Near: TypeAlias = Callable[[Fraction, Fraction], bool]
Read: TypeAlias = Callable[[str], Fraction]

_UNION: Final = re.compile(r"\\cup|∪|(?<=[\])])\s*U\s*(?=[\[(])")
_INTERVAL: Final = re.compile(r"\s*([\[(])([^\[\]()]*)([\])])\s*", re.DOTALL)
_INFINITE: Final = {
    f"{sign}{word}": "-inf" if sign == "-" else "inf"
    for sign in ("-", "+", "")
    for word in ("inf", "infinity", "oo")
}
_BRACKETS: Final = {"[": "]", "(": ")", "{": "}"}
_AND: Final = re.compile(r"\s*[,;]?\s+and\s+")


@dataclass(frozen=True, kw_only=True)
class Interval:
    """From ``low`` to ``high``; a closed end belongs to it, and an infinite one never does."""

    low: Bound
    high: Bound
    low_closed: bool
    high_closed: bool


def parse_intervals(text: str, read: Read) -> tuple[Interval, ...]:
    r"""Intervals joined by ∪, lowest first, such as ``[0, 1) ∪ (2, \infty)``.

    ``read`` reads a finite end. Raises ``NumberInvalid``.
    """
    parts = _UNION.split(plain(undelimited(bounded(text))))
    intervals = [_interval(part, read) for part in parts]
    return tuple(sorted(intervals, key=lambda interval: _position(interval.low)))


def same_intervals(one: Sequence[Interval], other: Sequence[Interval], near: Near) -> bool:
    """The same number of intervals, each with the same ends, open or closed alike."""
    return len(one) == len(other) and all(
        (a.low_closed, a.high_closed) == (b.low_closed, b.high_closed)
        and _same_bound(a.low, b.low, near)
        and _same_bound(a.high, b.high, near)
        for a, b in zip(one, other, strict=True)
    )


def parse_list(text: str, read: Read) -> tuple[Fraction, ...]:
    """Numbers between commas, in brackets of any kind or none; "and" may stand before the last.

    Where there is a semicolon, semicolons separate, and commas may group thousands. Raises
    ``NumberInvalid``.
    """
    inner = plain(undelimited(bounded(text)))
    if inner and _BRACKETS.get(inner[0]) == inner[-1]:
        inner = inner[1:-1]
    if not inner.strip():
        return ()
    mark = ";" if ";" in inner else ","
    parts = _AND.sub(mark, inner).split(mark)
    if len(parts) > MAX_ELEMENTS:
        raise NumberInvalid(f"{len(parts)} elements, the limit is {MAX_ELEMENTS}")
    return tuple(read(part) for part in parts)


def matching_share(
    wanted: Sequence[Fraction], given: Sequence[Fraction], order: ListOrder, near: Near
) -> float:
    """The share of elements that agree, of the longer list's; 1 only where both are the same.

    As a set, order and repetition say nothing.
    """
    if order == "set":
        wanted, given = sorted(set(wanted)), sorted(set(given))
        right = _sorted_matches(wanted, given, near)
    else:
        right = sum(near(a, b) for a, b in zip(wanted, given, strict=False))
    longest = max(len(wanted), len(given))
    return right / longest if longest else 1.0


def _sorted_matches(wanted: Sequence[Fraction], given: Sequence[Fraction], near: Near) -> int:
    right = i = j = 0
    while i < len(wanted) and j < len(given):
        if near(wanted[i], given[j]):
            right, i, j = right + 1, i + 1, j + 1
        elif wanted[i] < given[j]:
            i += 1
        else:
            j += 1
    return right


def _interval(text: str, read: Read) -> Interval:
    match = _INTERVAL.fullmatch(text)
    if match is None:
        raise NumberInvalid(f"{text[:60]!r} is no interval")
    opening, inner, closing = match.groups()
    ends = inner.split(";" if ";" in inner else ",")
    if len(ends) != 2:
        raise NumberInvalid(f"an interval has two ends, {text[:60]!r} has {len(ends)}")
    low, high = (_bound(end, read) for end in ends)
    if _position(low) > _position(high):
        raise NumberInvalid(f"the interval {text[:60]!r} ends before it begins")
    return Interval(
        low=low,
        high=high,
        low_closed=opening == "[" and isinstance(low, Fraction),
        high_closed=closing == "]" and isinstance(high, Fraction),
    )


def _bound(text: str, read: Read) -> Bound:
    infinite = _INFINITE.get("".join(text.split()).casefold())
    if infinite is not None:
        return "-inf" if infinite == "-inf" else "inf"
    return read(text)


def _position(bound: Bound) -> tuple[int, Fraction]:
    if isinstance(bound, Fraction):
        return (0, bound)
    return (1 if bound == "inf" else -1, Fraction(0))


def _same_bound(one: Bound, other: Bound, near: Near) -> bool:
    if isinstance(one, Fraction) and isinstance(other, Fraction):
        return near(one, other)
    return one == other
