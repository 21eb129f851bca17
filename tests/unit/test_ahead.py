"""Work one item ahead: in order, and no error is lost."""

import threading
from collections.abc import Iterator

import pytest

from trainer.ahead import ahead


def test_results_come_in_the_order_of_the_items() -> None:
    assert list(ahead(str, range(5))) == ["0", "1", "2", "3", "4"]
    assert list(ahead(str, [])) == []


def test_the_next_item_is_worked_on_before_the_last_result_is_done_with() -> None:
    begun = [threading.Event() for _ in range(3)]

    def work(n: int) -> int:
        begun[n].set()
        return n

    for result in ahead(work, range(3)):
        if result < 2:
            assert begun[result + 1].wait(timeout=10)


def test_an_error_of_the_work_is_raised_behind_what_was_done_before_it() -> None:
    results = ahead(lambda n: 1 // n, [1, 0, 1])
    assert next(results) == 1
    with pytest.raises(ZeroDivisionError):
        next(results)


def test_an_error_of_the_items_is_raised() -> None:
    def items() -> Iterator[int]:
        yield 1
        raise KeyError("the log is gone")

    with pytest.raises(KeyError, match="the log is gone"):
        list(ahead(str, items()))
