"""Topics as a folder of files, one JSON event a line: what runs without a broker read and write."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from pydantic import ValidationError

from consumers.clickhouse.rows import event_json
from schemas.errors import ConfigError
from schemas.events import EVENTS, Event
from schemas.line_problem import line_problem


def write_topics(outputs: Mapping[str, Sequence[Event]], out: Path) -> dict[str, int]:
    """A file a topic, each whole or not at all; returns how many events each has."""
    out.mkdir(parents=True, exist_ok=True)
    counts: dict[str, int] = {}
    for topic in EVENTS:
        events = outputs.get(topic, [])
        part = out / f"{topic}.jsonl.part"
        part.write_text("".join(f"{event_json(event)}\n" for event in events), encoding="utf-8")
        # an empty file stands for an empty topic: an earlier run's must not be taken for this one's
        part.replace(out / f"{topic}.jsonl")
        if events:
            counts[topic] = len(events)
    return counts


def read_topics(folder: Path) -> Iterator[Event]:
    """Every event of the folder's files; a topic without one is empty.

    Raises ``ConfigError`` with file and line where a line is no event of its topic.
    """
    if not folder.is_dir():
        raise ConfigError(f"{folder}: no such folder; name one that `prefstream label -o` wrote")
    for topic, kind in EVENTS.items():
        path = folder / f"{topic}.jsonl"
        if not path.exists():
            continue
        with path.open(encoding="utf-8") as lines:
            for number, line in enumerate(lines, 1):
                if line.strip():
                    yield _event(path, number, line, kind)


def _event(path: Path, number: int, line: str, kind: type[Event]) -> Event:
    try:
        return kind.model_validate_json(line)
    except ValidationError as error:
        raise ConfigError(f"{path}:{number}: no {kind.__name__}: {line_problem(error)}") from None
