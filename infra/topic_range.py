"""Parts of a topic by name: ``judgments``, ``judgments:2`` (a partition), ``judgments:2:0-99``."""

import re
from collections.abc import Iterable, Sequence
from typing import Final

from infra.settings import Settings
from infra.topic_log import snapshot
from schemas.errors import ConfigError
from schemas.records import OffsetRange

_PART: Final = re.compile(r"([0-9]{1,9})(?::([0-9]{0,18})-([0-9]{0,18}))?")


def named_ranges(settings: Settings, texts: Sequence[str]) -> list[OffsetRange]:
    """What the texts name, as it is now.

    Raises ``ConfigError`` as ``parts_of`` and for a topic that does not exist, ``DependencyDown``
    without Kafka.
    """
    found: list[OffsetRange] = []
    for text in texts:
        topic, colon, part = text.partition(":")
        held = snapshot(settings, topic)
        found += parts_of(topic, held, [part]) if colon else held
    return found


def parts_of(
    topic: str, held: Sequence[OffsetRange], wanted: Iterable[str]
) -> tuple[OffsetRange, ...]:
    """The parts of what a topic holds that are named ``PARTITION`` or ``PARTITION:FIRST-LAST``, in
    order. Pure.

    Both offsets are included; without FIRST it is the first that is held, without LAST the last.
    Raises ``ConfigError`` for what names no part, is not all held, or is named twice.
    """
    found: list[OffsetRange] = []
    for text in wanted:
        part = _part(topic, held, text)
        if any(
            part.partition == other.partition
            and part.first <= other.last
            and other.first <= part.last
            for other in found
        ):
            raise ConfigError(f"{text}: some of it is named before; name each offset once")
        found.append(part)
    return tuple(sorted(found, key=lambda one: (one.partition, one.first)))


def _part(topic: str, held: Sequence[OffsetRange], text: str) -> OffsetRange:
    named = _PART.fullmatch(text)
    if named is None:
        raise ConfigError(
            f"{text!r} names no part of {topic}; write PARTITION or PARTITION:FIRST-LAST, as "
            "0:100-199, or 0:100- up to its end"
        )
    partition, first, last = named.groups()
    whole = next((one for one in held if one.partition == int(partition)), None)
    if whole is None:
        others = ", ".join(str(one.partition) for one in held) or "none"
        raise ConfigError(
            f"{text}: partition {partition} of {topic} holds nothing; choose among those that do: "
            f"{others}"
        )
    part = whole.model_copy(
        update={"first": int(first or whole.first), "last": int(last or whole.last)}
    )
    if not all(whole.first <= offset <= whole.last for offset in (part.first, part.last)):
        raise ConfigError(
            f"{text}: partition {partition} of {topic} holds offsets {whole.first} to "
            f"{whole.last}; choose among those"
        )
    if part.first > part.last:
        raise ConfigError(f"{text}: the first offset comes after the last; exchange them")
    return part


def tails(ranges: Sequence[OffsetRange], n: int) -> list[OffsetRange]:
    """The last ``n`` offsets of each range."""
    return [one.model_copy(update={"first": max(one.first, one.last - n + 1)}) for one in ranges]
