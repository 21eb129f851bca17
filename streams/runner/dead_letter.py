"""Dead letters: the bytes of what a stage could not process, and why."""

import hashlib
from dataclasses import dataclass
from datetime import datetime

from schemas.errors import PrefstreamError
from schemas.events import DeadLetter, Event
from schemas.ids import EventId, derived_id

# Enough to see what it is and to replay nearly everything; larger values keep head and hash.
HEAD_BYTES = 64 * 1024
# A sentence for a person, not a log.
MESSAGE_CHARACTERS = 2000
# Bytes that cannot be decoded name no workload.
UNKNOWN_WORKLOAD = "unknown"


@dataclass(frozen=True, kw_only=True)
class Arrival:
    """A record as it came from a log: its place there, its time and its raw bytes.

    ``topic`` is the logical name, without a deployment's prefix.
    """

    topic: str
    partition: int
    offset: int
    at: datetime
    key: bytes | None
    value: bytes | None


def dead_letter_id(topic: str, partition: int, offset: int) -> EventId:
    """Id of a dead letter: its place in the log, so that a replay writes the same one."""
    return derived_id("DeadLetter", "", [topic, str(partition), str(offset)], "")


def dead_letter(
    arrival: Arrival,
    error: PrefstreamError,
    *,
    stage: str,
    config_hash: str,
    attempt: int,
    retryable: bool,
    event: Event | None,
) -> DeadLetter:
    """The dead letter of what arrived; ``event`` is what it decoded to, None where it did not.

    The event's id then stands among the ``source_ids``, which closes the account by ids; without
    one, topic, partition and offset do.
    """
    value = arrival.value or b""
    return DeadLetter(
        event_id=dead_letter_id(arrival.topic, arrival.partition, arrival.offset),
        occurred_at=event.occurred_at if event else arrival.at,
        workload_id=event.workload_id if event else UNKNOWN_WORKLOAD,
        config_hash=config_hash,
        source_ids=(event.event_id,) if event else (),
        topic=arrival.topic,
        partition=arrival.partition,
        offset=arrival.offset,
        key=None if arrival.key is None else arrival.key[:HEAD_BYTES],
        value=value[:HEAD_BYTES],
        value_sha256=hashlib.sha256(value).hexdigest(),
        value_bytes=len(value),
        error_class=type(error).__name__,
        message=str(error)[:MESSAGE_CHARACTERS],
        stage=stage,
        attempt=attempt,
        retryable=retryable,
    )
