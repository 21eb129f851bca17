"""Work on items in a thread of its own, while the next item is made.

What Arrow and files do runs beside Python, so one writes while the other reads.
"""

from collections.abc import Callable, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

Item = TypeVar("Item")


def hand_over(items: Iterable[Item], work: Callable[[Item], object]) -> None:
    """Have ``work`` done on each item, in their order; raises what it and ``items`` raise.

    One item is worked on at a time, so at most two are in memory.
    """
    with ThreadPoolExecutor(1) as thread:
        begun: Future[object] | None = None
        for item in items:
            if begun is not None:
                begun.result()
            begun = thread.submit(work, item)
        if begun is not None:
            begun.result()
