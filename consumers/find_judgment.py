"""One judgment by its id: out of a file, the tables, or the topic."""

from collections.abc import Iterable
from pathlib import Path

from infra.clickhouse import client
from infra.jsonl import load_jsonl
from infra.settings import Settings
from infra.topic_log import events
from schemas.errors import ConfigError
from schemas.events import Judgment

_QUERY = "SELECT event FROM judgments_first WHERE event_id = {id:String} LIMIT 1"


def find_judgment(settings: Settings, judgment_id: str, file: Path | None = None) -> Judgment:
    """The judgment, out of ``file`` (judgments.jsonl of `prefstream label`) where one is named.

    Else out of the tables, and where no sink has written it there, out of the topic. Raises
    ``ConfigError`` where it is nowhere or a line of the file is none, ``DependencyDown`` where
    ClickHouse or Kafka is away.
    """
    if file is not None:
        found, where = _first(load_jsonl(file, Judgment), judgment_id), str(file)
    else:
        found, where = _in_tables(settings, judgment_id), "the tables and the topic"
        found = found or _first(events(settings, Judgment), judgment_id)
    if found is None:
        raise ConfigError(
            f"no judgment {judgment_id} in {where}; take the event_id of a row of judgments (a "
            "preference names its judgment in source_ids), or name a file with --file"
        )
    return found


def _in_tables(settings: Settings, judgment_id: str) -> Judgment | None:
    try:
        connection = client(settings)
    except ConfigError:  # no ClickHouse is configured or running: the topic has it too
        return None
    with connection:
        rows = connection.query(_QUERY, parameters={"id": judgment_id}).result_rows
    return Judgment.model_validate_json(rows[0][0]) if rows else None


def _first(judgments: Iterable[Judgment], judgment_id: str) -> Judgment | None:
    return next((one for one in judgments if one.event_id == judgment_id), None)
