"""One judgment by its id: out of a file, the tables, or the topic."""

from pathlib import Path

from pydantic import ValidationError

from infra.clickhouse import client
from infra.settings import Settings
from infra.topic_log import read, snapshot
from schemas.errors import ConfigError
from schemas.events import TOPICS, Judgment

_QUERY = "SELECT event FROM judgments_first WHERE event_id = {id:String} LIMIT 1"


def find_judgment(settings: Settings, judgment_id: str, file: Path | None = None) -> Judgment:
    """The judgment, out of ``file`` (judgments.jsonl of `prefstream label`) where one is named.

    Else out of the tables, and where no sink has written it there, out of the topic. Raises
    ``ConfigError`` where it is nowhere, ``DependencyDown`` where ClickHouse or Kafka is away.
    """
    if file is not None:
        found, where = _in_file(file, judgment_id), str(file)
    else:
        found = _in_tables(settings, judgment_id) or _in_topic(settings, judgment_id)
        where = "the tables and the topic"
    if found is None:
        raise ConfigError(
            f"no judgment {judgment_id} in {where}; take the event_id of a row of judgments (a "
            "preference names its judgment in source_ids), or name a file with --file"
        )
    return found


def _in_file(file: Path, judgment_id: str) -> Judgment | None:
    number = 0
    try:
        with file.open("rb") as lines:
            for line in lines:
                number += 1
                if judgment_id.encode() in line:
                    judgment = Judgment.model_validate_json(line)
                    if judgment.event_id == judgment_id:
                        return judgment
    except OSError as error:
        raise ConfigError(f"{file} cannot be read ({error.strerror}); name a file") from None
    except ValidationError as error:
        wrong = error.errors(include_url=False)[0]
        raise ConfigError(f"{file}, line {number}: no judgment: {wrong['msg']}") from None
    return None


def _in_tables(settings: Settings, judgment_id: str) -> Judgment | None:
    try:
        connection = client(settings)
    except ConfigError:  # no ClickHouse is configured or running: the topic has it too
        return None
    with connection:
        rows = connection.query(_QUERY, parameters={"id": judgment_id}).result_rows
    return Judgment.model_validate_json(rows[0][0]) if rows else None


def _in_topic(settings: Settings, judgment_id: str) -> Judgment | None:
    for logged in read(settings, snapshot(settings, TOPICS[Judgment])):
        if isinstance(logged.event, Judgment) and logged.event.event_id == judgment_id:
            return logged.event
    return None
