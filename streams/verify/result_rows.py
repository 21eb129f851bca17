"""Whether two tables hold the same rows, columns in any order, numbers within a tolerance."""

import math
from collections import Counter, defaultdict
from collections.abc import Hashable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Final

from streams.verify.sandbox.result import Row, Value

Key = tuple[Hashable, ...]
Table = Sequence[Key]

# Column orders that are tried before the comparison is given up as undecidable.
_MAX_ORDERS: Final = 5_000
# Groups of rows equal but for their floats, larger than this, are compared in sorted order only.
_MAX_MATCHING: Final = 200


class TooManyOrders(Exception):
    """So many columns hold the same values that not every order of them was tried."""


@dataclass(frozen=True, kw_only=True)
class Tolerance:
    """Two numbers are equal where they differ by at most the larger of the two tolerances."""

    relative: float = 1e-6
    absolute: float = 1e-9

    def equal(self, one: float, other: float) -> bool:
        """Whether the two agree; infinities and NaN agree with themselves."""
        if math.isnan(one) or math.isnan(other):
            return math.isnan(one) and math.isnan(other)
        return math.isclose(one, other, rel_tol=self.relative, abs_tol=self.absolute)


def comparable(value: Value) -> Hashable:
    """The value as it is compared: its kind of type beside it, so that 1 is neither '1' nor true.

    Numbers are one kind; an int beyond exact floats stays exact. A date is its midnight.
    """
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, bool):
        return ("bool", value)
    if isinstance(value, int):
        return value if abs(value) < 2**53 else ("int", value)
    if isinstance(value, (float, Decimal)):
        number = float(value)
        if math.isnan(number):
            return ("nan",)
        return int(number) if number.is_integer() and abs(number) < 2**53 else number
    if isinstance(value, datetime):
        return ("moment", value)
    if isinstance(value, date):
        return ("moment", datetime(value.year, value.month, value.day))
    if isinstance(value, tuple):
        return ("list", tuple(comparable(item) for item in value))
    return (type(value).__name__, value)


def keys(rows: Sequence[Row]) -> list[Key]:
    """Rows as they are compared."""
    return [tuple(comparable(value) for value in row) for row in rows]


def column_orders(gold: Table, other: Table, tolerance: Tolerance) -> Iterator[tuple[int, ...]]:
    """Every order of ``other``'s columns under which its rows, as a multiset, are ``gold``'s.

    Both tables have the same number of rows and of columns. Columns are added one at a time, and
    an order is followed only as long as the rows so far agree. Raises TooManyOrders.
    """
    width = len(gold[0]) if gold else 0
    steps = 0

    def extend(order: tuple[int, ...]) -> Iterator[tuple[int, ...]]:
        nonlocal steps
        if len(order) == width:
            yield order
            return
        so_far = [row[: len(order) + 1] for row in gold]
        for column in range(width):
            if column in order:
                continue
            steps += 1
            if steps > _MAX_ORDERS:
                raise TooManyOrders
            longer = (*order, column)
            if same_multiset(so_far, [tuple(row[i] for i in longer) for row in other], tolerance):
                yield from extend(longer)

    yield from extend(())


def same_multiset(gold: Table, other: Table, tolerance: Tolerance) -> bool:
    """Whether every row of one has its own equal row in the other."""
    if len(gold) != len(other):
        return False
    missing, extra = Counter(gold), Counter(other)
    missing, extra = missing - extra, extra - missing
    if not missing:
        return True
    ours, theirs = _by_exact_part(missing), _by_exact_part(extra)
    if ours.keys() != theirs.keys():
        return False
    return all(_same_numbers(ours[part], theirs[part], tolerance) for part in ours)


def same_row(gold: Key, other: Key, tolerance: Tolerance) -> bool:
    """Whether two rows are equal, column by column."""
    return all(
        one == two or (_is_number(one) and _is_number(two) and tolerance.equal(one, two))  # type: ignore[arg-type]
        for one, two in zip(gold, other, strict=True)
    )


def _is_number(value: Hashable) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _by_exact_part(rows: "Counter[Key]") -> dict[Key, list[tuple[float, ...]]]:
    """Rows grouped by all but their numbers."""
    groups: dict[Key, list[tuple[float, ...]]] = defaultdict(list)
    for row, count in rows.items():
        part = tuple(("number",) if _is_number(value) else value for value in row)
        numbers = tuple(float(value) for value in row if _is_number(value))  # type: ignore[arg-type]
        groups[part].extend([numbers] * count)
    return groups


def _same_numbers(
    ours: list[tuple[float, ...]], theirs: list[tuple[float, ...]], tolerance: Tolerance
) -> bool:
    if len(ours) != len(theirs):
        return False

    def agree(one: tuple[float, ...], two: tuple[float, ...]) -> bool:
        return all(map(tolerance.equal, one, two))

    if all(map(agree, sorted(ours), sorted(theirs))):
        return True
    # With one number a row sorting decides; with more, near-equal first numbers can sort apart.
    if len(ours[0]) < 2 or len(ours) > _MAX_MATCHING:
        return False
    edges = [[j for j, two in enumerate(theirs) if agree(one, two)] for one in ours]
    return _perfect_matching(edges)


def _perfect_matching(edges: list[list[int]]) -> bool:
    """Whether every left node can have a right node of its own (augmenting paths)."""
    partner: dict[int, int] = {}

    def place(node: int, seen: set[int]) -> bool:
        for right in edges[node]:
            if right not in seen:
                seen.add(right)
                if right not in partner or place(partner[right], seen):
                    partner[right] = node
                    return True
        return False

    return all(place(node, set()) for node in range(len(edges)))
