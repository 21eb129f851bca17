"""Reading what freeze and gate need from Kafka."""

from collections.abc import Iterator, Sequence
from typing import TypeVar

from infra.settings import Settings
from infra.topic_log import LoggedEvent, read, snapshot
from schemas.events import TOPICS, Calibration, Event, Preference
from schemas.records import OffsetRange
from trainer.freeze import LogSlice

E = TypeVar("E", bound=Event)

# Magic byte and 4-byte schema id of the Confluent wire format.
_HEADER_BYTES = 5


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
    first: dict[str, Calibration] = {}
    for event in _events(settings, Calibration):
        first.setdefault(event.event_id, event)
    return list(first.values())


def _events(settings: Settings, kind: type[E]) -> Iterator[E]:
    for logged in read(settings, snapshot(settings, TOPICS[kind])):
        if isinstance(logged.event, kind):
            yield logged.event


def _schema_id(logged: LoggedEvent) -> int:
    assert logged.value is not None
    return int.from_bytes(logged.value[1:_HEADER_BYTES], "big")
