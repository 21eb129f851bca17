"""Parts of a topic by name: ``judgments``, ``judgments:2`` (a partition), ``judgments:2:0-99``."""

import re
from collections.abc import Sequence
from typing import Final

from infra.settings import Settings
from infra.topic_log import snapshot
from schemas.errors import ConfigError
from schemas.records import OffsetRange

_NAMED: Final = re.compile(r"([a-z-]+)(?::(\d+)(?::(\d+)-(\d+))?)?")


def named_ranges(settings: Settings, texts: Sequence[str]) -> list[OffsetRange]:
    """What the texts name, as it is now; offsets are those given, both included.

    Raises ``ConfigError`` for a text that names no such part, ``DependencyDown`` without Kafka.
    Whether given offsets are still there is for whoever reads them to find.
    """
    found: list[OffsetRange] = []
    for text in texts:
        named = _NAMED.fullmatch(text)
        if named is None:
            raise ConfigError(
                f"{text!r} names no part of a topic; write TOPIC, TOPIC:PARTITION or "
                "TOPIC:PARTITION:FIRST-LAST"
            )
        topic, partition, first, last = named.groups()
        held = snapshot(settings, topic)
        if partition is None:
            found += held
            continue
        own = [one for one in held if one.partition == int(partition)]
        if not own:
            raise ConfigError(f"{text}: partition {partition} of {topic} holds nothing")
        if first is not None and int(first) > int(last):
            raise ConfigError(f"{text}: the first offset comes after the last")
        asked = {} if first is None else {"first": int(first), "last": int(last)}
        found.append(own[0].model_copy(update=asked))
    return found


def tails(ranges: Sequence[OffsetRange], n: int) -> list[OffsetRange]:
    """The last ``n`` offsets of each range."""
    return [one.model_copy(update={"first": max(one.first, one.last - n + 1)}) for one in ranges]
