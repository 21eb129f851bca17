"""Dead letters: whose they are, what they keep, and when there are too many."""

import hashlib

import pytest

from schemas.errors import Fatal, Poison
from streams.runner.dead_letter import HEAD_BYTES, Arrival, dead_letter
from streams.runner.poison import PoisonLimit, PoisonWindow
from tests.events import NOON, candidate_set


def arrival(offset: int = 7, value: bytes | None = b"\x00raw") -> Arrival:
    return Arrival(topic="samples", partition=2, offset=offset, at=NOON, key=b"k\xff", value=value)


def letter_of(came: Arrival, known: bool = False) -> object:
    return dead_letter(
        came,
        Poison("unreadable"),
        stage="verify",
        config_hash="v",
        attempt=1,
        retryable=False,
        event=candidate_set() if known else None,
    )


def test_a_replay_writes_the_same_letter() -> None:
    assert letter_of(arrival()) == letter_of(arrival())
    assert letter_of(arrival(8)) != letter_of(arrival())


def test_it_keeps_place_and_bytes() -> None:
    letter = dead_letter(
        arrival(),
        Poison("unreadable"),
        stage="verify",
        config_hash="v",
        attempt=1,
        retryable=False,
        event=None,
    )
    assert (letter.topic, letter.partition, letter.offset) == ("samples", 2, 7)
    assert (letter.key, letter.value) == (b"k\xff", b"\x00raw")
    assert (letter.error_class, letter.message) == ("Poison", "unreadable")
    assert letter.source_ids == ()


def test_a_decoded_event_is_named_as_source() -> None:
    letter = dead_letter(
        arrival(),
        Poison("no"),
        stage="verify",
        config_hash="v",
        attempt=1,
        retryable=False,
        event=candidate_set(),
    )
    assert (letter.source_ids, letter.workload_id) == (("set-1",), "shop")


def test_a_large_value_keeps_head_hash_and_length() -> None:
    value = b"ab" * HEAD_BYTES
    letter = dead_letter(
        arrival(value=value),
        Poison("no"),
        stage="verify",
        config_hash="v",
        attempt=1,
        retryable=False,
        event=None,
    )
    assert letter.value == value[:HEAD_BYTES]
    assert letter.value_bytes == len(value)
    assert letter.value_sha256 == hashlib.sha256(value).hexdigest()


def record(window: PoisonWindow, workload: str | None, poison: int, good: int) -> None:
    for _ in range(good):
        window.record(workload, poison=False)
    for _ in range(poison):
        window.record(workload, poison=True)


def test_some_poison_is_ordinary() -> None:
    record(PoisonWindow(PoisonLimit()), "shop", poison=49, good=0)


def test_mostly_poison_stops_the_worker() -> None:
    with pytest.raises(Fatal, match="50 of the last 99 events of workload 'shop'"):
        record(PoisonWindow(PoisonLimit()), "shop", poison=50, good=49)


def test_one_bad_workload_among_good_ones_is_found() -> None:
    window = PoisonWindow(PoisonLimit(min_poison=10))
    for _ in range(9):
        record(window, "good", poison=0, good=5)
        record(window, "bad", poison=1, good=0)
    with pytest.raises(Fatal, match="workload 'bad'"):
        record(window, "bad", poison=1, good=0)


def test_undecodable_bytes_count_against_all() -> None:
    window = PoisonWindow(PoisonLimit(min_poison=5, window_events=100))
    for _ in range(30):  # now and then: never a majority
        record(window, "shop", poison=0, good=10)
        record(window, None, poison=1, good=0)
    with pytest.raises(Fatal, match="all workloads together"):
        record(window, None, poison=100, good=0)
