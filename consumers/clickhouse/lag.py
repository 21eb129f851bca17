"""How far the tables are behind the topics."""

import time
from collections import Counter
from collections.abc import Iterable

from infra.kafka import admin, group_name, topic_name
from infra.kafka_offsets import Span, committed_offsets, identify, spans
from infra.settings import Settings
from schemas.errors import DependencyDown
from schemas.events import EVENTS

SINK_GROUP = "prefstream.sink"
"""The consumer group of every sink, without prefix."""

_CHECK_S = 0.25


def pending(settings: Settings, topics: Iterable[str] = tuple(EVENTS)) -> dict[str, int]:
    """By topic, how many offsets are not yet in its table: end − committed.

    Topics that do not exist have nothing pending. Raises ``DependencyDown``.
    """
    client = admin(settings)
    names = {topic_name(settings, topic): topic for topic in topics}
    committed = committed_offsets(settings, client, group_name(settings, SINK_GROUP))
    behind = dict.fromkeys(names.values(), 0)
    identities = identify(settings, client, names).values()
    for (name, partition), span in spans(settings, client, identities).items():
        behind[names[name]] += span.end - _done(committed.get((name, partition)), span)
    return behind


def wait_caught_up(
    settings: Settings, timeout_s: float, topics: Iterable[str] = tuple(EVENTS)
) -> None:
    """Return once the tables hold all that the topics held when this was called; what comes in
    meanwhile does not count. Raises ``DependencyDown`` where it takes too long."""
    client = admin(settings)
    names = {topic_name(settings, topic): topic for topic in topics}
    ends = spans(settings, client, identify(settings, client, names).values())
    until_s = time.monotonic() + timeout_s
    while True:
        committed = committed_offsets(settings, client, group_name(settings, SINK_GROUP))
        behind: Counter[str] = Counter()
        for (name, partition), span in ends.items():
            behind[names[name]] += span.end - _done(committed.get((name, partition)), span)
        if not any(behind.values()):
            return
        if time.monotonic() > until_s:
            shown = ", ".join(f"{topic} {n:,}" for topic, n in behind.items() if n)
            raise DependencyDown(
                f"the sink is still behind after {timeout_s:g} s (pending: {shown}); see whether "
                "it runs by `prefstream status`, and its log",
                reason="behind",
            )
        time.sleep(_CHECK_S)


def _done(committed: int | None, span: Span) -> int:
    """Up to where the partition is done, within what it holds."""
    return min(max(committed or 0, span.first), span.end)
