"""Reading what freeze and gate need from Kafka."""

from collections.abc import Sequence
from typing import TypeVar

from infra.settings import Settings
from infra.topic_log import LoggedEvent, read, snapshot
from schemas.codec import HEADER_BYTES
from schemas.events import TOPICS, Calibration, Event, Preference, Run
from schemas.records import OffsetRange
from trainer.freeze import LogSlice

E = TypeVar("E", bound=Event)


def read_preferences(settings: Settings, ranges: Sequence[OffsetRange] | None = None) -> LogSlice:
    """The preferences of these ranges, or of everything the topic holds now.

    Raises ``LogChanged`` where the ranges are no longer in the log, ``DependencyDown``.
    """
    wanted = tuple(ranges) if ranges is not None else snapshot(settings, TOPICS[Preference])
    preferences: list[Preference] = []
    schema_ids: set[int] = set()
    unreadable = 0
    for logged in read(settings, wanted):
        if isinstance(logged.event, Preference):
            preferences.append(logged.event)
            schema_ids.add(_schema_id(logged))
        else:
            unreadable += 1
    return LogSlice(
        preferences=preferences,
        ranges=wanted,
        schema_ids=tuple(sorted(schema_ids)),
        unreadable=unreadable,
    )


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


def _schema_id(logged: LoggedEvent) -> int:
    assert logged.value is not None
    return int.from_bytes(logged.value[1:HEADER_BYTES], "big")
