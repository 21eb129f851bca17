"""Reading topics by fixed offsets, on a real broker."""

import random

import pytest
from confluent_kafka import TopicPartition
from confluent_kafka.admin import AdminClient
from confluent_kafka.cimpl import NewTopic

from infra.kafka import admin, consumer, ensure_topics, group_name, producer, topic_name
from infra.settings import Settings
from infra.stack_status import stack_status
from infra.topic_log import LogChanged, committed, read, snapshot
from infra.topics import MAX_MESSAGE_BYTES
from schemas.codec import Codec
from schemas.errors import ConfigError, SchemaMismatch
from tests.events import completion
from tests.waiting import wait_until

pytestmark = pytest.mark.integration


def _send(settings: Settings, values: list[bytes], topic: str = "feedback") -> None:
    client = producer(settings)
    for number, value in enumerate(values):
        client.produce(topic_name(settings, topic), key=f"k{number}", value=value)
    assert client.flush(60) == 0


def test_empty_topic_has_no_ranges(fresh_broker: Settings) -> None:
    assert snapshot(fresh_broker, "feedback") == ()
    assert list(read(fresh_broker, ())) == []


def test_snapshot_is_read_back_in_the_same_order_each_time(fresh_broker: Settings) -> None:
    _send(fresh_broker, [f"v{n}".encode() for n in range(2_000)])
    ranges = snapshot(fresh_broker, "feedback")
    _send(fresh_broker, [b"later"] * 10)
    first = [(m.partition, m.offset, m.value) for m in read(fresh_broker, ranges)]
    assert len(first) == 2_000
    assert first == [(m.partition, m.offset, m.value) for m in read(fresh_broker, ranges)]
    assert [r.partition for r in ranges] == sorted({r.partition for r in ranges})


def test_part_of_a_range_is_read_exactly(fresh_broker: Settings) -> None:
    _send(fresh_broker, [b"x"] * 400)
    whole = snapshot(fresh_broker, "feedback")[0]
    part = whole.model_copy(update={"first": whole.first + 3, "last": whole.first + 7})
    assert [m.offset for m in read(fresh_broker, [part])] == list(range(3, 8))


def test_events_are_decoded_and_bad_bytes_are_given_with_the_reason(
    fresh_broker: Settings,
) -> None:
    event = completion()
    _send(fresh_broker, [Codec().encode(event), b"no event"])
    read_back = list(read(fresh_broker, snapshot(fresh_broker, "feedback")))
    assert [m.event for m in read_back if m.event] == [event]
    (bad,) = (m for m in read_back if m.error)
    assert isinstance(bad.error, SchemaMismatch)
    assert (bad.topic, bad.value) == ("feedback", b"no event")


def test_topic_made_again_is_not_taken_for_the_old_one(fresh_broker: Settings) -> None:
    _send(fresh_broker, [b"x"])
    ranges = snapshot(fresh_broker, "feedback")
    name = topic_name(fresh_broker, "feedback")
    _recreate(admin(fresh_broker), name)
    _send(fresh_broker, [b"y"] * 100)
    with pytest.raises(LogChanged, match=name):
        list(read(fresh_broker, ranges))


def test_deleted_messages_are_noticed(fresh_broker: Settings) -> None:
    _send(fresh_broker, [b"x"] * 100)
    (wanted, *_) = snapshot(fresh_broker, "feedback")
    before = TopicPartition(topic_name(fresh_broker, "feedback"), wanted.partition, 1)
    client = admin(fresh_broker)  # kept: its requests end with it
    for future in client.delete_records([before]).values():
        future.result()
    with pytest.raises(LogChanged, match="not all there"):
        list(read(fresh_broker, [wanted]))


def test_aborted_messages_are_not_read(fresh_broker: Settings) -> None:
    name = topic_name(fresh_broker, "feedback")
    client = producer(fresh_broker, transactional_id=name)
    client.init_transactions(60)
    for outcome in (client.abort_transaction, client.commit_transaction):
        client.begin_transaction()
        client.produce(name, key="k", value=outcome.__name__.encode())
        client.flush(60)
        outcome(60)

    def last() -> int:
        return max((r.last for r in snapshot(fresh_broker, "feedback")), default=-1)

    # Two messages, each with the marker that ends its transaction; the broker writes the markers
    # after it has answered.
    wait_until(lambda: last() == 3, "both transactions are over")
    ranges = snapshot(fresh_broker, "feedback")
    assert [m.value for m in read(fresh_broker, ranges)] == [b"commit_transaction"]


def test_committed_offsets_and_what_is_pending(fresh_broker: Settings) -> None:
    assert committed(fresh_broker, "prefstream.g", "feedback") == {}
    _send(fresh_broker, [b"x"] * 100)
    (wanted, *_) = snapshot(fresh_broker, "feedback")
    reader = consumer(fresh_broker, group_name(fresh_broker, "prefstream.g"))
    name = topic_name(fresh_broker, "feedback")
    reader.commit(offsets=[TopicPartition(name, wanted.partition, 5)], asynchronous=False)
    reader.close()
    assert committed(fresh_broker, "prefstream.g", "feedback") == {wanted.partition: 5}
    (group,) = stack_status(fresh_broker).groups
    assert (group.group, group.committed, group.pending) == ("prefstream.g", 5, 95)


def test_largest_message_goes_through_and_comes_back(fresh_broker: Settings) -> None:
    # Room for the key and the record's own fields; bytes that do not compress.
    value = random.Random(1).randbytes(MAX_MESSAGE_BYTES - 1024)
    _send(fresh_broker, [value])
    (message,) = read(fresh_broker, snapshot(fresh_broker, "feedback"))
    assert message.value == value


def test_topics_can_be_ensured_again(fresh_broker: Settings) -> None:
    assert ensure_topics(fresh_broker) == ensure_topics(fresh_broker)


def test_other_number_of_partitions_is_refused(fresh_broker: Settings) -> None:
    with pytest.raises(ConfigError, match="PREFSTREAM_PARTITIONS=4"):
        ensure_topics(fresh_broker.model_copy(update={"partitions": 7}))


def test_unknown_topic_is_said_with_the_remedy(fresh_broker: Settings) -> None:
    with pytest.raises(ConfigError, match="prefstream up"):
        snapshot(fresh_broker.model_copy(update={"topic_prefix": "no-such-"}), "feedback")


def _recreate(client: AdminClient, name: str) -> None:
    client.delete_topics([name], operation_timeout=60)[name].result()
    new = NewTopic(name, num_partitions=4, replication_factor=1)
    client.create_topics([new])[name].result()
