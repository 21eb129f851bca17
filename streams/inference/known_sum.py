"""Tokens and cost of several calls together."""

from collections.abc import Iterable
from typing import TypeVar

Number = TypeVar("Number", int, float)


def known_sum(counts: Iterable[Number | None]) -> Number | None:
    """The sum; None where one of the counts is not known, for the rest of it would mislead."""
    given = list(counts)
    known = [count for count in given if count is not None]
    return sum(known) if len(known) == len(given) else None
