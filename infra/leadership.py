"""One leader among processes on any machines: membership of a group on a one-partition topic.

Kafka gives the partition to one member of the group at a time. What a member believes may be old,
so whoever is about to act on it asks the broker (``confirm``), which refuses the commit of a past
generation. Between two confirmations less than ``LEASE_S`` apart nobody else can have led: the
broker waits ``SESSION_S`` after the last one before it gives the partition away.
"""

from typing import Final

from confluent_kafka import Consumer, KafkaException, TopicPartition

from infra.kafka import consumer, group_name, topic_name
from infra.settings import Settings

SESSION_S: Final = 10.0
# Leaves 4 s to end whatever runs under the lease.
LEASE_S: Final = 6.0
_HEARTBEAT_S = 2.0


class Leadership:
    """A candidate for leadership; poll it at least once a second."""

    def __init__(self, settings: Settings, group: str, topic: str) -> None:
        """``group`` and ``topic`` are without prefix; the topic has one partition."""
        self._topic = topic_name(settings, topic)
        self._holds = False
        self._member = consumer(
            settings,
            group_name(settings, group),
            session_timeout_ms=round(SESSION_S * 1000),
            heartbeat_interval_ms=round(_HEARTBEAT_S * 1000),
        )
        self._member.subscribe(
            [self._topic],
            on_assign=self._on_assign,
            on_revoke=self._on_revoke,
            on_lost=self._on_revoke,
        )

    def poll(self, timeout_s: float) -> bool:
        """Wait so long, take part in the group, and say whether the partition is ours."""
        # Paused: nothing is ever fetched, this only serves the group's protocol.
        self._member.poll(timeout_s)
        return self._holds

    def confirm(self) -> bool:
        """Whether the broker too says that we lead; False also where it does not answer."""
        if not self._holds:
            return False
        try:
            self._member.commit(offsets=[TopicPartition(self._topic, 0, 0)], asynchronous=False)
        except KafkaException:
            return False
        return True

    def close(self) -> None:
        """Leave the group: another candidate leads at once."""
        self._holds = False
        self._member.close()

    def _on_assign(self, member: Consumer, partitions: list[TopicPartition]) -> None:
        if partitions:
            member.incremental_assign(partitions)
            member.pause(partitions)
            self._holds = True

    def _on_revoke(self, _: Consumer, partitions: list[TopicPartition]) -> None:
        if partitions:
            self._holds = False
