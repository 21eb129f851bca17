"""Reading what freeze and gate need from Kafka."""

from collections.abc import Sequence
from typing import TypeVar

from infra.settings import Settings
from infra.topic_log import read, read_values, snapshot
from schemas.events import TOPICS, Calibration, Event, Run
from schemas.records import OffsetRange
from trainer.staged_log import LogValues

E = TypeVar("E", bound=Event)


def read_log(settings: Settings, what: type[Event] | Sequence[OffsetRange]) -> LogValues:
    """All that an event's topic holds now, or these ranges; read when the values are taken.

    That raises ``LogChanged`` where the ranges are no longer in the log, ``DependencyDown``.
    """
    ranges = snapshot(settings, TOPICS[what]) if isinstance(what, type) else tuple(what)
    return LogValues(values=read_values(settings, ranges), ranges=ranges)


def read_calibrations(settings: Settings) -> list[Calibration]:
    """Every calibration so far, the first of an id only."""
    return _first_of_ids(settings, Calibration)


def read_runs(settings: Settings) -> list[Run]:
    """Every run event so far in the order of the log, the first of an id only."""
    return _first_of_ids(settings, Run)


def read_latest(settings: Settings, kind: type[E], n: int) -> list[E]:
    """The latest events of a topic, about ``n``: as many of each partition's end."""
    ranges = snapshot(settings, TOPICS[kind])
    each = -(-n // max(1, len(ranges)))
    tails = [r.model_copy(update={"first": max(r.first, r.last - each + 1)}) for r in ranges]
    return [one.event for one in read(settings, tails) if isinstance(one.event, kind)]


def _first_of_ids(settings: Settings, kind: type[E]) -> list[E]:
    first: dict[str, E] = {}
    for logged in read(settings, snapshot(settings, TOPICS[kind])):
        if isinstance(logged.event, kind):
            first.setdefault(logged.event.event_id, logged.event)
    return list(first.values())
