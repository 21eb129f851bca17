"""Preferences out of Kafka as a file that TRL's trainers read."""

import json
import os
import tempfile
from collections import Counter
from collections.abc import Collection, Iterable, Iterator
from pathlib import Path
from typing import TypedDict

from pydantic import BaseModel, ConfigDict

from infra.settings import Settings
from infra.topic_log import LoggedEvent, read, snapshot
from schemas.errors import ConfigError
from schemas.events import TOPICS, Preference
from schemas.records import Message, PreferenceSource


class TrlMessage(TypedDict):
    """One turn, as TRL's conversational format has it."""

    role: str
    content: str


class TrlRow(TypedDict):
    """A row of TRL's conversational preference format; the columns after ``rejected`` are ours."""

    prompt: list[TrlMessage]
    chosen: list[TrlMessage]
    rejected: list[TrlMessage]
    event_id: str
    prompt_id: str
    workload_id: str
    slice: str
    source: str
    rubric_version: str
    teacher_model: str
    judge_config_hash: str
    margin: float | None
    agreement: float | None


class ExportReport(BaseModel):
    """What was written and what was left out, by count."""

    model_config = ConfigDict(frozen=True)

    rows: int
    by_source: dict[str, int]
    repeated: int
    """Events whose id had already come: the first offset wins."""
    filtered: int
    """Events of other sources or workloads than were asked for."""
    undecodable: int


def trl_row(preference: Preference) -> TrlRow:
    """The preference as a row."""
    return TrlRow(
        prompt=_messages(preference.prompt),
        chosen=_messages(preference.chosen),
        rejected=_messages(preference.rejected),
        event_id=preference.event_id,
        prompt_id=preference.prompt_id,
        workload_id=preference.workload_id,
        slice=preference.slice,
        source=preference.source.value,
        rubric_version=preference.rubric_version,
        teacher_model=preference.teacher_model,
        judge_config_hash=preference.judge_config_hash,
        margin=preference.margin,
        agreement=preference.agreement,
    )


class Export:
    """One export: rows from logged events, the first of an id only, counting what it leaves out."""

    def __init__(
        self,
        *,
        sources: Collection[PreferenceSource] = tuple(PreferenceSource),
        workload_id: str | None = None,
    ) -> None:
        self._sources = sources
        self._workload_id = workload_id
        self._seen: set[str] = set()
        self._counts: Counter[str] = Counter()
        self._by_source: Counter[str] = Counter()

    def rows(self, events: Iterable[LoggedEvent]) -> Iterator[TrlRow]:
        """The rows of these events, in their order."""
        for logged in events:
            event = logged.event
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
                yield trl_row(event)

    def report(self) -> ExportReport:
        """What has been counted so far."""
        return ExportReport(
            rows=self._by_source.total(),
            by_source=dict(sorted(self._by_source.items())),
            repeated=self._counts["repeated"],
            filtered=self._counts["filtered"],
            undecodable=self._counts["undecodable"],
        )


def export_preferences(
    settings: Settings,
    path: Path,
    *,
    sources: Collection[PreferenceSource] = tuple(PreferenceSource),
    workload_id: str | None = None,
) -> ExportReport:
    """Write what the topic holds now to ``path``, in the order of partitions and offsets.

    The file appears whole or not at all. Raises ``ConfigError`` if it cannot be written, and what
    reading the topic raises.
    """
    export = Export(sources=sources, workload_id=workload_id)
    write_lines(path, export.rows(read(settings, snapshot(settings, TOPICS[Preference]))))
    return export.report()


def write_lines(path: Path, rows: Iterable[TrlRow]) -> None:
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


def _messages(messages: Iterable[Message]) -> list[TrlMessage]:
    return [TrlMessage(role=message.role, content=message.content) for message in messages]
