"""Which offsets of a topic a person names, and what is said where they are not there."""

import re

import pytest

from infra.topic_range import parts_of
from schemas.errors import ConfigError
from schemas.records import OffsetRange


def held(partition: int, first: int, last: int) -> OffsetRange:
    return OffsetRange(
        topic="preferences", topic_uuid="u", partition=partition, first=first, last=last
    )


# partition 1 is empty, and retention took the beginning of partition 2
HELD = (held(0, 0, 99), held(2, 50, 149))


@pytest.mark.parametrize(
    ("wanted", "chosen"),
    [
        (["0:10-19"], [held(0, 10, 19)]),
        (["2:100-"], [held(2, 100, 149)]),
        (["2:-60"], [held(2, 50, 60)]),
        (["0:-"], [held(0, 0, 99)]),
        (["2"], [held(2, 50, 149)]),
        (["0:99-99"], [held(0, 99, 99)]),
        (["2:-", "0:50-59", "0:0-9"], [held(0, 0, 9), held(0, 50, 59), held(2, 50, 149)]),
    ],
)
def test_both_ends_are_included_and_may_be_left_out(
    wanted: list[str], chosen: list[OffsetRange]
) -> None:
    assert parts_of("preferences", HELD, wanted) == tuple(chosen)


@pytest.mark.parametrize(
    ("wanted", "said"),
    [
        (["10-19"], "'10-19' names no part of preferences; write PARTITION or"),
        (["0:1-2-3"], "names no part"),
        (["0:-5-9"], "names no part"),
        (["0:10"], "names no part"),
        ([""], "names no part"),
        (["0:٣-9"], "names no part"),
        (["0:" + "9" * 5000 + "-"], "names no part"),
        (["1:0-9"], "partition 1 of preferences holds nothing; choose among those that do: 0, 2"),
        (["2:0-60"], "partition 2 of preferences holds offsets 50 to 149; choose among those"),
        (["0:90-100"], "partition 0 of preferences holds offsets 0 to 99"),
        (["0:19-10"], "0:19-10: the first offset comes after the last"),
        (["0:100-"], "0:100-: partition 0 of preferences holds offsets 0 to 99"),
        (["0:0-9", "0:9-"], "0:9-: some of it is named before; name each offset once"),
        (["0:50-59", "0"], "0: some of it is named before"),
    ],
)
def test_what_is_not_there_is_one_sentence(wanted: list[str], said: str) -> None:
    with pytest.raises(ConfigError, match=re.escape(said)):
        parts_of("preferences", HELD, wanted)


def test_of_an_empty_topic_nothing_can_be_chosen() -> None:
    with pytest.raises(ConfigError, match=r"partition 0 of labels holds nothing; .* do: none"):
        parts_of("labels", (), ["0:-"])
