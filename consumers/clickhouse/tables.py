"""The tables: one for every topic, as the files in ``ddl/`` make them."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from schemas.events import EVENTS, Event

_DDL = Path(__file__).parent / "ddl"
_COMMENT = re.compile(r"--[^\n]*")

KAFKA_COLUMNS = ("kafka_topic_uuid", "kafka_partition", "kafka_offset", "kafka_timestamp")
"""Where a row's message stands in Kafka; with the event's own columns they make a row."""


@dataclass(frozen=True, kw_only=True)
class Table:
    """Where the events of one topic go.

    ``name`` holds every row that arrived; ``first`` is the view to read from: one row an event,
    the one with the lowest offset, whatever has been merged so far.
    """

    topic: str
    event: type[Event]
    name: str

    @property
    def first(self) -> str:
        """The view with one row an event."""
        return f"{self.name}_first"


TABLES: dict[str, Table] = {
    topic: Table(topic=topic, event=event, name=topic.replace("-", "_"))
    for topic, event in EVENTS.items()
}


def statements() -> Iterator[str]:
    """Every statement of ``ddl/`` in order; each may be run again on what it made before.

    A change of a table is a new file with ALTER TABLE … IF NOT EXISTS, never an edit that an
    existing table would not notice, and ends by replacing the view.
    """
    for path in sorted(_DDL.glob("*.sql")):
        for statement in _COMMENT.sub("", path.read_text()).split(";"):
            if statement.strip():
                yield statement.strip()
