"""Where a command reads events: a file of `prefstream label`, or the topic."""

from collections.abc import Iterator
from pathlib import Path
from typing import TypeVar

from infra.jsonl import load_jsonl
from infra.settings import Settings
from schemas.events import TOPICS, Event

E = TypeVar("E", bound=Event)


def events_from(path: Path | None, kind: type[E], settings: Settings) -> Iterator[E]:
    """The events of a JSON Lines file; of the kind's topic, as it is now, where there is no file.

    Raises ``ConfigError`` for a line that is no such event, ``DependencyDown`` without Kafka.
    """
    if path is not None:
        yield from load_jsonl(path, kind)
        return
    from infra.topic_log import read, snapshot

    for logged in read(settings, snapshot(settings, TOPICS[kind])):
        if isinstance(logged.event, kind):
            yield logged.event
