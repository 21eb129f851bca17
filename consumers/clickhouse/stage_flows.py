"""What went through the stages on Kafka, from the tables and the committed offsets."""

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from consumers.accounting import STAGE_OUTPUTS, STAGES, Discarded, StageFlow, place
from consumers.clickhouse.insert import STAGE as SINK
from consumers.clickhouse.lag import wait_caught_up
from consumers.clickhouse.tables import TABLES
from infra.kafka import admin, group_name, topic_name
from infra.kafka_offsets import Span, committed_offsets, identity, spans
from infra.settings import Settings
from schemas.events import TOPICS
from streams.topology import consumer_group, input_topic

if TYPE_CHECKING:
    from clickhouse_connect.driver.client import Client


def flows_of_tables(
    settings: Settings,
    client: "Client",
    stages: Iterable[str] = STAGES,
    *,
    timeout_s: float = 60.0,
) -> list[StageFlow]:
    """What each stage took in up to its committed offset now, and what it made of it.

    Offsets are read first and the tables only when they hold everything up to then, because a
    stage's outputs are in Kafka before it commits. Raises ``DependencyDown`` where the sink does
    not catch up within ``timeout_s``, ``ConfigError`` where a topic is missing.
    """
    admin_client = admin(settings)
    progress = []
    for stage in stages:
        topic = identity(settings, admin_client, topic_name(settings, input_topic(stage)))
        group = group_name(settings, consumer_group(stage))
        offsets = committed_offsets(settings, admin_client, group)
        held = {p: s for (_, p), s in spans(settings, admin_client, [topic]).items()}
        done = {p: offsets[topic.name, p] for p in held if (topic.name, p) in offsets}
        progress.append((stage, topic.uuid, done, _pending(held, done)))
    wait_caught_up(settings, timeout_s)
    return [_flow(client, *found) for found in progress]


def _pending(held: dict[int, Span], done: dict[int, int]) -> int:
    return sum(
        span.end - min(max(done.get(partition, 0), span.first), span.end)
        for partition, span in held.items()
    )


def _flow(
    client: "Client", stage: str, topic_uuid: str, done: dict[int, int], pending: int
) -> StageFlow:
    topic = input_topic(stage)
    parameters = {
        "uuid": topic_uuid,
        "topic": topic,
        "stage": stage,
        "sink": SINK,
        "partitions": list(done) or [0],
        "ends": list(done.values()) or [0],
    }

    def rows(sql: str) -> Sequence[Sequence[Any]]:
        return client.query(sql, parameters=parameters).result_rows

    below = "transform({0}_partition, {{partitions:Array(UInt32)}}, {{ends:Array(Int64)}}, 0)"
    events = rows(
        f"SELECT DISTINCT event_id FROM {TABLES[topic].name} WHERE kafka_topic_uuid = "
        f"{{uuid:String}} AND kafka_offset < {below.format('kafka')}"
    )
    # What the sink could not decode is no row of the table, and yet the stage read it.
    unreadable = rows(
        "SELECT source_topic, source_partition, source_offset FROM dead_letters_first "
        "WHERE stage = {sink:String} AND source_topic = {topic:String} "
        f"AND source_offset < {below.format('source')}"
    )
    letters = rows(
        "SELECT source_topic, source_partition, source_offset, source_ids FROM dead_letters_first "
        "WHERE stage = {stage:String} AND source_topic = {topic:String}"
    )
    outputs = rows(f"SELECT event_id, source_ids FROM {TABLES[TOPICS[STAGE_OUTPUTS[stage]]].first}")
    discards = rows(
        "SELECT event_id, reason, source_ids FROM discards_first WHERE stage = {stage:String}"
    )
    return StageFlow(
        stage=stage,
        taken={event_id for (event_id,) in events} | {place(*found) for found in unreadable},
        outputs={event_id: tuple(sources) for event_id, sources in outputs},
        discards={
            event_id: Discarded(reason=reason, source_ids=sources)
            for event_id, reason, sources in discards
        },
        dead_lettered={place(t, p, o) for t, p, o, _ in letters}
        | {source for *_, sources in letters for source in sources},
        pending=pending,
    )
