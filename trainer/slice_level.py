"""How many rows of each slice stay, so that a large one does not decide what is learned. Pure."""

from collections.abc import Mapping
from math import ceil


def slice_level(
    counts: Mapping[str, int],
    *,
    balance: float = 0.0,
    max_rows: int | None = None,
    max_share: float = 1.0,
) -> int:
    """The number of rows that no slice may exceed; 0 where ``max_share`` cannot be kept to.

    ``balance`` moves it from the largest slice (0: all rows stay) to the smallest (1: all slices
    are alike), by the geometric mean. ``max_share`` is of all rows that then stay, which k slices
    can only keep to from 1/k on.
    """
    sizes = [n for n in counts.values() if n]
    if not sizes:
        return 0
    level = ceil(min(sizes) ** balance * max(sizes) ** (1 - balance) - 1e-9)
    level = min(level, max_rows or level)
    # The largest slice's share falls with the level, down to that of equal slices.
    low, high = 0, level
    while low < high:
        middle = (low + high + 1) // 2
        stay = [min(n, middle) for n in sizes]
        if max(stay) <= max_share * sum(stay) + 1e-9:
            low = middle
        else:
            high = middle - 1
    return low
