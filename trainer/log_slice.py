"""Reading what freeze and promotion need from Kafka."""

from collections.abc import Sequence
from typing import TypeVar

from infra.settings import Settings
from infra.topic_log import TopicLog, read, read_values, snapshot
from schemas.events import TOPICS, Event, Run
from schemas.records import OffsetRange
from trainer.staged_log import LogValues

E = TypeVar("E", bound=Event)


def read_log(settings: Settings, what: type[Event] | Sequence[OffsetRange]) -> LogValues:
    """All that an event's topic holds now, or these ranges; read when the values are taken.

    That raises ``LogChanged`` where the ranges are no longer in the log, ``DependencyDown``.
    """
    ranges = snapshot(settings, TOPICS[what]) if isinstance(what, type) else tuple(what)
    return LogValues(values=read_values(settings, ranges), ranges=ranges)


def read_runs(settings: Settings, workload_id: str | None = None) -> list[Run]:
    """Every run event so far (of the workload) in the order of the log, the first of an id only."""
    first: dict[str, Run] = {}
    for run in TopicLog(settings, workload_id).events(Run):
        first.setdefault(run.event_id, run)
    return list(first.values())


def read_latest(settings: Settings, kind: type[E], n: int) -> list[E]:
    """The latest events of a topic, about ``n``: as many of each partition's end."""
    ranges = snapshot(settings, TOPICS[kind])
    each = -(-n // max(1, len(ranges)))
    tails = [r.model_copy(update={"first": max(r.first, r.last - each + 1)}) for r in ranges]
    return [one.event for one in read(settings, tails) if isinstance(one.event, kind)]
