"""Work on items in a thread of its own, one item ahead of whoever takes the results.

What NumPy and Arrow do runs beside Python, so one reads while the other writes.
"""

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

Item = TypeVar("Item")
Done = TypeVar("Done")


def ahead(work: Callable[[Item], Done], items: Iterable[Item]) -> Iterator[Done]:
    """What ``work`` makes of each item, in their order; raises what it and ``items`` raise."""
    with ThreadPoolExecutor(1) as thread:
        begun: Future[Done] | None = None
        for item in items:
            before, begun = begun, thread.submit(work, item)
            if before is not None:
                yield before.result()
        if begun is not None:
            yield begun.result()
