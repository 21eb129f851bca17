"""Preferences as a file that trainers read."""

from collections import Counter
from collections.abc import Collection, Iterable, Iterator
from contextlib import ExitStack
from pathlib import Path

from pydantic import BaseModel, ConfigDict

from consumers.export_file import lines_to
from consumers.export_rows import UNTAGGED, Format, Row, rows_of, tags_of
from infra.settings import Settings
from infra.topic_log import read, snapshot
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
    """One export: pairs of logged events, the first of an id only, counting what it leaves out."""

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

    def pairs(self, events: Iterable[Event | None]) -> Iterator[tuple[Preference, list[Row]]]:
        """Pairs with their rows, in the order of the events; None is one that could not be read."""
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
                rows = rows_of(event, self._format)
                self._by_source[event.source.value] += 1
                self._counts["rows"] += len(rows)
                yield event, rows

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

    Where the format has no room for where a row comes from, that goes to ``tags_file`` beside it,
    a line a row. Raises as ``lines_to``, and what reading the events raises.
    """
    export = Export(sources=sources, workload_id=workload_id, format_=format_)
    with ExitStack() as files:
        write = files.enter_context(lines_to(path))
        tag = files.enter_context(lines_to(tags_file(path))) if format_ in UNTAGGED else None
        for pair, rows in export.pairs(events):
            for row in rows:
                write(row)
            if tag is not None:
                tag(tags_of(pair))
    return export.report()


def tags_file(path: Path) -> Path:
    """``pairs.jsonl`` has its tags in ``pairs.tags.jsonl``."""
    return path.with_name(f"{path.stem}.tags{path.suffix}")
