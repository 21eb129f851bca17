"""A process that ends by itself: started again, less and less often."""

from infra.restarts import Restarts


def test_first_end_is_followed_at_once() -> None:
    record = Restarts()
    record.ended(1, 100.0)
    assert record.due(100.0)


def test_each_further_end_waits_longer_up_to_a_minute() -> None:
    record = Restarts()
    now_s, waits = 100.0, []
    for pid in range(9):
        record.ended(pid, now_s)
        wait_s = 0.0
        while not record.due(now_s + wait_s):
            wait_s += 0.5
        waits.append(wait_s)
        now_s += wait_s
    assert waits == [0, 1, 2, 4, 8, 16, 32, 60, 60]


def test_a_long_life_clears_the_record() -> None:
    record = Restarts()
    for pid in range(4):
        record.ended(pid, 100.0)
    record.ended(5, 1000.0)
    assert record.due(1000.0)


def test_an_end_is_noticed_once() -> None:
    record = Restarts()
    assert not record.noticed(1)
    record.ended(1, 0.0)
    assert record.noticed(1)
    assert not record.noticed(2)
