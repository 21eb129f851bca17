"""Is this result the gold result? Pure comparers, one for each meaning of "the same"."""

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import permutations
from typing import Final

from streams.verify.result_rows import (
    Key,
    Tolerance,
    TooManyOrders,
    column_orders,
    keys,
    same_multiset,
)
from streams.verify.sandbox.result import QueryResult, Row, Value

VERSION: Final = "1"

# Column orders the official evaluator would try all of; beyond it only the values decide.
_MAX_WIDTH: Final = 8


class Match(StrEnum):
    """What a comparison found. UNTOLD: equal, but any query might have given this."""

    EQUAL = "equal"
    DIFFERENT = "different"
    UNTOLD = "untold"


@dataclass(frozen=True, kw_only=True)
class Matched:
    """The finding and the reason in a few words."""

    match: Match
    reason: str


@dataclass(frozen=True, kw_only=True)
class GoldResult:
    """The rows a gold query gives.

    ``ties`` are the sizes of the successive runs of rows that the gold query's top-level ORDER BY
    leaves unordered among themselves; None where it orders nothing. ``ordered_text`` says whether
    the text holds "order by" anywhere, which is all that the official Spider evaluator looks at.
    """

    result: QueryResult
    ties: tuple[int, ...] | None = None
    ordered_text: bool = False


@dataclass(frozen=True, kw_only=True)
class MatchRules:
    """What ``result_match`` holds against a result. Without ``duplicates`` the sets of rows are
    compared, in no order.
    """

    any_column_order: bool = True
    row_order: bool = True
    """Rows stand as gold's top level orders them, where it does."""
    duplicates: bool = True


Comparer = Callable[[GoldResult, QueryResult, Tolerance], Matched]


def result_match(
    gold: GoldResult,
    other: QueryResult,
    tolerance: Tolerance,
    rules: MatchRules = MatchRules(),
) -> Matched:
    """Multisets of rows, columns in any order, row order where gold's top level orders.

    NULL equals NULL, numbers agree within the tolerance, rows that gold's ORDER BY ties may stand
    in any order. Where both are empty, or one row of zeros and NULLs, equality shows nothing:
    nearly every wrong query with a filter gives that too.
    """
    different = _shape(gold.result, other, rows=rules.duplicates)
    if different is not None:
        return different
    if not gold.result.rows:
        return Matched(match=Match.UNTOLD, reason="both results are empty")
    if gold.result.rows is not other.rows:
        ours, theirs = keys(gold.result.rows), keys(other.rows)
        if not rules.duplicates:
            ours, theirs = list(dict.fromkeys(ours)), list(dict.fromkeys(theirs))
        ties = gold.ties if rules.row_order and rules.duplicates else None
        try:
            is_equal = any(
                ties is None or _same_runs(ours, _reorder(theirs, order), ties, tolerance)
                for order in _orders(ours, theirs, tolerance, rules)
            )
        except TooManyOrders:
            return Matched(match=Match.UNTOLD, reason="too many columns hold the same values")
        if not is_equal:
            return _difference(ours, theirs, tolerance, rules)
    if gold.result.truncated:
        return Matched(match=Match.UNTOLD, reason="both results are over the row limit")
    if tells_nothing(gold.result.rows):
        return Matched(match=Match.UNTOLD, reason="the result is one row of zeros and NULLs")
    return Matched(match=Match.EQUAL, reason=f"{len(gold.result.rows)} rows")


def spider_exec(gold: GoldResult, other: QueryResult, _: Tolerance) -> Matched:
    """As the official Spider evaluator decides EX (Zhong et al. 2020, test-suite evaluation):
    Python equality, multiset of rows, columns in any order, both empty are equal, and row order
    counts wherever the gold text says "order by".
    """
    if not gold.result.rows and not other.rows:
        return Matched(match=Match.EQUAL, reason="both results are empty")
    different = _shape(gold.result, other)
    if different is not None:
        return different
    if gold.result.rows is other.rows:
        return Matched(match=Match.EQUAL, reason=f"{len(other.rows)} rows")
    ours, theirs = list(gold.result.rows), list(other.rows)
    for order in _spider_orders(ours, theirs):
        candidate = _reorder(theirs, order)
        if ours == candidate if gold.ordered_text else Counter(ours) == Counter(candidate):
            return Matched(match=Match.EQUAL, reason=f"{len(ours)} rows")
    return Matched(match=Match.DIFFERENT, reason="the rows differ")


def bird_set(gold: GoldResult, other: QueryResult, _: Tolerance) -> Matched:
    """As BIRD decides (Li et al. 2023): the sets of rows are equal, columns in the given order."""
    if gold.result.rows is other.rows or set(gold.result.rows) == set(other.rows):
        return Matched(match=Match.EQUAL, reason=f"{len(set(other.rows))} distinct rows")
    return Matched(match=Match.DIFFERENT, reason="the sets of rows differ")


def tells_nothing(rows: Sequence[Row]) -> bool:
    """Whether nearly every wrong query gives these rows too: none, or one of zeros and NULLs."""
    return not rows or (len(rows) == 1 and all(value is None or value == 0 for value in rows[0]))


def row_count_agrees(gold: QueryResult, other: QueryResult, relative: float = 0.001) -> bool:
    """The seed's rule: as many rows as gold, give or take 0.1 %. Weak: it accepts 39 % of the
    wrong ones among 5,170 real predictions.
    """
    return abs(len(other.rows) - len(gold.rows)) <= relative * len(gold.rows)


def _shape(gold: QueryResult, other: QueryResult, *, rows: bool = True) -> Matched | None:
    if len(gold.rows) != len(other.rows) and (rows or not (gold.rows and other.rows)):
        reason = f"{len(other.rows)} rows, gold has {len(gold.rows)}"
        return Matched(match=Match.DIFFERENT, reason=reason)
    if len(gold.columns) != len(other.columns):
        reason = f"{len(other.columns)} columns, gold has {len(gold.columns)}"
        return Matched(match=Match.DIFFERENT, reason=reason)
    return None


def _reorder(rows: Sequence[tuple[Value, ...] | Key], order: tuple[int, ...]) -> list[Key]:
    return [tuple(row[i] for i in order) for row in rows]


def _same_runs(
    ours: list[Key], theirs: list[Key], ties: tuple[int, ...], tolerance: Tolerance
) -> bool:
    start = 0
    for size in ties:
        end = start + size
        if not same_multiset(ours[start:end], theirs[start:end], tolerance):
            return False
        start = end
    return True


def _orders(
    ours: list[Key], theirs: list[Key], tolerance: Tolerance, rules: MatchRules
) -> Iterable[tuple[int, ...]]:
    if rules.any_column_order:
        return column_orders(ours, theirs, tolerance)
    return [tuple(range(len(ours[0])))] if same_multiset(ours, theirs, tolerance) else []


def _difference(
    ours: list[Key], theirs: list[Key], tolerance: Tolerance, rules: MatchRules
) -> Matched:
    if any(True for _ in _orders(ours, theirs, tolerance, rules)):
        return Matched(match=Match.DIFFERENT, reason="the right rows in another order than gold's")
    missing = Counter(ours) - Counter(theirs)
    return Matched(
        match=Match.DIFFERENT, reason=f"{sum(missing.values())} of {len(ours)} rows are not gold's"
    )


def _spider_orders(ours: list[Row], theirs: list[Row]) -> list[tuple[int, ...]]:
    """Column orders under which each column holds gold's set of values."""
    width = len(ours[0])
    wanted = [{row[i] for row in ours} for i in range(width)]
    found = [{row[i] for row in theirs} for i in range(width)]
    if width > _MAX_WIDTH:
        fits = all(one == two for one, two in zip(wanted, found, strict=True))
        return [tuple(range(width))] if fits else []
    return [
        order
        for order in permutations(range(width))
        if all(wanted[i] == found[column] for i, column in enumerate(order))
    ]
