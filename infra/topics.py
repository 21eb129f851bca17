"""The topics: how many partitions, how long they are kept, how large a message may be."""

from dataclasses import dataclass

from schemas.events import TOPICS

# A candidate set is the largest event: up to 16 answers of at most 1 MiB each (design §4).
MAX_MESSAGE_BYTES = 16 * 1024 * 1024

_DAY_MS = 24 * 60 * 60 * 1000
FOR_EVER_MS = -1
# Long enough to replay a judge or filter change over a month of traffic without going back to
# the capture source; the tables in ClickHouse keep what is older.
CHAIN_RETENTION_MS = 30 * _DAY_MS
# Bytes that failed must outlive a holiday of whoever has to look at them.
DEAD_LETTER_RETENTION_MS = 30 * _DAY_MS
# A record of what was left out, for accounting below the committed offset; the sink keeps it.
DISCARD_RETENTION_MS = 14 * _DAY_MS

_RETENTION_MS: dict[str, int] = {
    # Training data and what vouches for it are the product: a manifest names offsets of
    # preferences, a gate reads labels and calibrations, promotion reads runs. Never deleted.
    "preferences": FOR_EVER_MS,
    "labels": FOR_EVER_MS,
    "calibrations": FOR_EVER_MS,
    "runs": FOR_EVER_MS,
    "discards": DISCARD_RETENTION_MS,
    "dead-letters": DEAD_LETTER_RETENTION_MS,
}

REJUDGMENTS = "rejudgments"
"""Judgments by a rubric on trial: beside ``judgments``, and read by no stage."""

# A few events a day whose order over all keys matters: the last run event is the run's state, and
# group membership on the one partition is what keeps a second trainer out (design §6).
SINGLE_PARTITION = frozenset({"calibrations", "runs"})


@dataclass(frozen=True, kw_only=True, slots=True)
class TopicSpec:
    """One topic as it is created. ``name`` is without prefix; retention −1 means for ever."""

    name: str
    partitions: int
    retention_ms: int
    max_message_bytes: int = MAX_MESSAGE_BYTES

    def config(self) -> dict[str, str]:
        """Kafka's topic settings."""
        return {
            "cleanup.policy": "delete",
            "retention.ms": str(self.retention_ms),
            "retention.bytes": "-1",
            "max.message.bytes": str(self.max_message_bytes),
            # Event time is in the event. Retention counts from arrival, or an import of last
            # year's traffic would be deleted as it comes in.
            "message.timestamp.type": "LogAppendTime",
        }


def topic_specs(partitions: int) -> tuple[TopicSpec, ...]:
    """All topics, where the chain has ``partitions`` partitions."""
    return tuple(
        TopicSpec(
            name=name,
            partitions=1 if name in SINGLE_PARTITION else partitions,
            retention_ms=_RETENTION_MS.get(name, CHAIN_RETENTION_MS),
        )
        for name in (*TOPICS.values(), REJUDGMENTS)
    )
