"""Work on one item while the next is made: in order, and no error is lost."""

import threading
from collections.abc import Iterator

import pytest

from trainer.handover import hand_over


@pytest.mark.parametrize("n", [0, 1, 5])
def test_items_are_worked_on_in_their_order(n: int) -> None:
    done: list[int] = []
    hand_over(range(n), done.append)
    assert done == list(range(n))


def test_an_item_is_worked_on_while_the_next_one_is_made() -> None:
    begun = threading.Event()

    def items() -> Iterator[int]:
        yield 1
        assert begun.wait(timeout=10)
        yield 2

    hand_over(items(), lambda _: begun.set())


def test_an_error_of_the_work_stops_it() -> None:
    done: list[float] = []
    with pytest.raises(ZeroDivisionError):
        hand_over([1, 0, 2, 4], lambda n: done.append(1 / n))
    assert done == [1]


def test_an_error_of_the_items_is_raised_once_those_before_it_are_done() -> None:
    done: list[int] = []

    def items() -> Iterator[int]:
        yield 1
        raise KeyError("the log is gone")

    with pytest.raises(KeyError, match="the log is gone"):
        hand_over(items(), done.append)
    assert done == [1]
