"""Which block comes next, and where to go on after whatever happened."""

import pytest

from consumers.clickhouse.intake import PartitionIntake
from consumers.clickhouse.plan import Block, BlockLimits, Resume, next_block, resume
from consumers.clickhouse.tables import TABLES
from streams.runner.dead_letter import Arrival
from tests.events import NOON

LIMITS = BlockLimits(rows=3, bytes=100, age_s=1.0)


def arrival(offset: int, size: int = 10) -> Arrival:
    return Arrival(
        topic="completions", partition=0, offset=offset, at=NOON, key=None, value=b"x" * size
    )


def intake(start: Resume) -> PartitionIntake:
    return PartitionIntake(TABLES["completions"], 0, "uuid", start)


def test_the_token_names_topic_partition_and_both_ends() -> None:
    assert Block(first=5, last=9).token("uuid", 2) == "uuid:2:5-9"
    assert Block(first=5, last=9).metadata == "plan:9"


@pytest.mark.parametrize(
    ("committed", "metadata", "low", "high", "expected"),
    [
        pytest.param(None, None, 0, 10, Resume(position=0), id="a new group"),
        pytest.param(None, None, 4, 10, Resume(position=4), id="a new group, old log"),
        pytest.param(6, "", 0, 10, Resume(position=6), id="killed outside a block"),
        pytest.param(
            6, "plan:8", 0, 10, Resume(position=6, replay=Block(first=6, last=8)), id="in a block"
        ),
        pytest.param(6, "plan:5", 0, 10, Resume(position=6), id="a plan that is no block"),
        pytest.param(6, "hello", 0, 10, Resume(position=6), id="someone else's metadata"),
        pytest.param(6, "plan:10", 0, 10, Resume(position=6), id="a log cut within the block"),
        pytest.param(12, "plan:14", 0, 10, Resume(position=0), id="a log cut below the offset"),
        pytest.param(
            2, "", 5, 10, Resume(position=5, lost=Block(first=2, last=4)), id="deleted meanwhile"
        ),
        pytest.param(
            2,
            "plan:3",
            5,
            10,
            Resume(position=5, lost=Block(first=2, last=4)),
            id="the whole block deleted",
        ),
        pytest.param(
            2,
            "plan:7",
            5,
            10,
            Resume(position=5, replay=Block(first=2, last=7), lost=Block(first=2, last=4)),
            id="half a block deleted: its token stays",
        ),
    ],
)
def test_where_to_go_on(
    committed: int | None, metadata: str | None, low: int, high: int, expected: Resume
) -> None:
    assert resume(committed=committed, metadata=metadata, low=low, high=high) == expected


def test_a_block_is_bounded_in_rows_and_bytes_and_never_empty() -> None:
    assert next_block(0, [(0, 1), (1, 1), (2, 1), (3, 1)], LIMITS) == Block(first=0, last=2)
    assert next_block(0, [(0, 60), (1, 60)], LIMITS) == Block(first=0, last=0)
    assert next_block(0, [(0, 500), (1, 1)], LIMITS) == Block(first=0, last=0)
    with pytest.raises(ValueError, match="message"):
        next_block(0, [], LIMITS)


def test_a_block_starts_where_the_last_one_ended_though_offsets_are_missing() -> None:
    assert next_block(4, [(6, 1), (9, 1)], LIMITS) == Block(first=4, last=9)


def test_a_block_is_due_when_it_is_full_or_old() -> None:
    held = intake(Resume(position=0))
    held.add(arrival(0), now_s=10.0)
    assert held.due(10.5, LIMITS) is None
    assert held.due(11.0, LIMITS) == Block(first=0, last=0)
    held.add(arrival(1), now_s=10.5)
    held.add(arrival(2), now_s=10.5)
    held.add(arrival(3), now_s=10.5)
    assert held.due(10.5, LIMITS) == Block(first=0, last=2)


def test_a_planned_block_stays_the_same_whatever_comes_in() -> None:
    held = intake(Resume(position=0))
    held.add(arrival(0), now_s=0.0)
    block = held.due(2.0, LIMITS)
    assert block is not None
    held.plan(block)
    held.add(arrival(1), now_s=2.0)
    assert held.due(9.0, LIMITS) == block
    assert [a.offset for a in held.messages(block)] == [0]
    held.done(block)
    assert held.position == 1
    assert held.held_bytes == 10
    assert held.due(9.0, LIMITS) == Block(first=1, last=1)


def test_a_replay_waits_for_its_last_offset_and_ends_there() -> None:
    held = intake(Resume(position=2, replay=Block(first=2, last=4)))
    held.add(arrival(2), now_s=0.0)
    held.add(arrival(3), now_s=0.0)
    assert held.due(99.0, LIMITS) is None
    held.add(arrival(4), now_s=0.0)
    held.add(arrival(5), now_s=0.0)
    block = held.due(0.0, LIMITS)
    assert block == Block(first=2, last=4)
    assert [a.offset for a in held.messages(block)] == [2, 3, 4]


def test_offsets_without_a_message_at_the_end_are_passed_over() -> None:
    held = intake(Resume(position=3))
    held.reached(3)
    assert not held.passed
    held.reached(5)
    assert (held.position, held.passed) == (5, True)
    held.add(arrival(5), now_s=0.0)
    held.reached(6)
    assert held.position == 5
