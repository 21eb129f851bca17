"""Preferences as a file that trainers read."""

import json
import os
import tempfile
from collections import Counter
from collections.abc import Collection, Iterable, Iterator
from pathlib import Path

from pydantic import BaseModel, ConfigDict

from consumers.export_rows import Format, Row, rows_of
from infra.settings import Settings
from infra.topic_log import read, snapshot
from schemas.errors import ConfigError
from schemas.events import TOPICS, Event, Preference
from schemas.records import PreferenceSource


class ExportReport(BaseModel):
    """What was written and what was left out, by count."""

    model_config = ConfigDict(frozen=True)

    pairs: int
    rows: int
    """Lines written: a pair is two of them in an unpaired format."""
    by_source: dict[str, int]
    repeated: int
    """Events whose id had already come: the first offset wins."""
    filtered: int
    """Events of other sources or workloads than were asked for."""
    undecodable: int


class Export:
    """One export: rows from logged events, the first of an id only, counting what it leaves out."""

    def __init__(
        self,
        *,
        sources: Collection[PreferenceSource] = tuple(PreferenceSource),
        workload_id: str | None = None,
        format_: Format = Format.TRL,
    ) -> None:
        self._format = format_
        self._sources = sources
        self._workload_id = workload_id
        self._seen: set[str] = set()
        self._counts: Counter[str] = Counter()
        self._by_source: Counter[str] = Counter()

    def rows(self, events: Iterable[Event | None]) -> Iterator[Row]:
        """The rows of these events, in their order; None is one that could not be read."""
        for event in events:
            if not isinstance(event, Preference):
                self._counts["undecodable"] += 1
            elif event.event_id in self._seen:
                self._counts["repeated"] += 1
            else:
                # An id counts as seen whatever it says: what came later must not replace it.
                self._seen.add(event.event_id)
                if event.source not in self._sources or (
                    self._workload_id not in (None, event.workload_id)
                ):
                    self._counts["filtered"] += 1
                    continue
                self._by_source[event.source.value] += 1
                for row in rows_of(event, self._format):
                    self._counts["rows"] += 1
                    yield row

    def report(self) -> ExportReport:
        """What has been counted so far."""
        return ExportReport(
            pairs=self._by_source.total(),
            rows=self._counts["rows"],
            by_source=dict(sorted(self._by_source.items())),
            repeated=self._counts["repeated"],
            filtered=self._counts["filtered"],
            undecodable=self._counts["undecodable"],
        )


def logged_preferences(settings: Settings) -> Iterator[Event | None]:
    """What the topic holds now, in the order of partitions and offsets.

    Raises what reading the topic raises.
    """
    return (one.event for one in read(settings, snapshot(settings, TOPICS[Preference])))


def export_preferences(
    events: Iterable[Event | None],
    path: Path,
    *,
    sources: Collection[PreferenceSource] = tuple(PreferenceSource),
    workload_id: str | None = None,
    format_: Format = Format.TRL,
) -> ExportReport:
    """Write the preferences among these events to ``path``, in their order.

    The file appears whole or not at all. Raises ``ConfigError`` if it cannot be written, and what
    reading the events raises.
    """
    export = Export(sources=sources, workload_id=workload_id, format_=format_)
    write_lines(path, export.rows(events))
    return export.report()


def write_lines(path: Path, rows: Iterable[Row]) -> None:
    """Write the rows as JSON lines, atomically; raises ``ConfigError`` where the file cannot be
    written."""
    try:
        descriptor, draft = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    except OSError as error:
        raise ConfigError(
            f"{path} cannot be written ({error.strerror}); choose a folder that exists and that "
            "you may write to"
        ) from None
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            for row in rows:
                file.write(json.dumps(row, ensure_ascii=False) + "\n")
            file.flush()
            os.fsync(file.fileno())
        # mkstemp is private; a data set is as readable as any file that one writes.
        umask = os.umask(0)
        os.umask(umask)
        os.chmod(draft, 0o666 & ~umask)
        os.replace(draft, path)
    except BaseException:
        os.unlink(draft)
        raise
