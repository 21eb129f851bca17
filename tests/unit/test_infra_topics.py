"""How topics are created."""

from pathlib import Path

import pytest

from infra.kafka import bootstrap, group_name, topic_name
from infra.kafka_broker import server_properties
from infra.settings import Settings
from infra.topics import FOR_EVER_MS, REJUDGMENTS, topic_specs
from schemas.errors import ConfigError
from schemas.events import TOPICS

_DAY_MS = 24 * 60 * 60 * 1000
KEPT = {"preferences", "labels", "calibrations", "runs"}


def test_every_event_has_its_topic() -> None:
    assert {spec.name for spec in topic_specs(4)} == {*TOPICS.values(), REJUDGMENTS}


def test_training_data_and_what_vouches_for_it_is_kept_for_ever() -> None:
    assert {s.name for s in topic_specs(4) if s.retention_ms == FOR_EVER_MS} == KEPT


def test_the_rest_is_kept_seven_to_thirty_days() -> None:
    for spec in topic_specs(4):
        if spec.name not in KEPT:
            assert 7 * _DAY_MS <= spec.retention_ms <= 30 * _DAY_MS


def test_topics_of_the_chain_have_the_same_partitions() -> None:
    chain = {"completions", "samples", "verifications", "comparisons", "judgments", "preferences"}
    assert {s.partitions for s in topic_specs(6) if s.name in chain} == {6}


def test_runs_have_one_partition_for_the_one_trainer() -> None:
    assert {s.partitions for s in topic_specs(6) if s.name == "runs"} == {1}


def test_retention_counts_from_arrival_not_from_event_time() -> None:
    assert {s.config()["message.timestamp.type"] for s in topic_specs(4)} == {"LogAppendTime"}


def test_broker_takes_and_copies_the_largest_message_of_a_topic() -> None:
    lines = server_properties(Path("data"), 1, 2).splitlines()
    values = dict(line.split("=", 1) for line in lines)
    largest = max(spec.max_message_bytes for spec in topic_specs(4))
    for name in ("message.max.bytes", "replica.fetch.max.bytes", "fetch.max.bytes"):
        assert int(values[name]) >= largest


def test_prefix_goes_before_topics_and_groups() -> None:
    settings = Settings(topic_prefix="team-a.")
    assert topic_name(settings, "runs") == "team-a.runs"
    assert group_name(settings, "prefstream.pair") == "team-a.prefstream.pair"


def test_no_kafka_anywhere_is_said_with_the_remedy() -> None:
    with pytest.raises(ConfigError, match="prefstream up"):
        bootstrap(Settings(data_dir=Path("no-such-folder")))
