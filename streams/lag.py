"""How far each stage is behind the topic it reads."""

from infra.kafka import admin, group_name, topic_name
from infra.kafka_offsets import committed_offsets, identity, spans
from infra.settings import Settings
from streams.topology import STAGE_INPUTS, consumer_group, input_topic


def pending_by_stage(settings: Settings) -> dict[str, int]:
    """By stage, in the order events pass them: end offset − committed offset of its input.

    A stage commits only after its outputs are in Kafka, and the stages are asked in their order,
    so all zeros mean that whatever was published before the call has passed every stage.
    Raises ``DependencyDown`` where Kafka is away, ``ConfigError`` where a topic is missing.
    """
    return {stage: _pending(settings, stage) for stage in STAGE_INPUTS}


def _pending(settings: Settings, stage: str) -> int:
    client = admin(settings)
    topic = identity(settings, client, topic_name(settings, input_topic(stage)))
    committed = committed_offsets(settings, client, group_name(settings, consumer_group(stage)))
    return sum(
        span.end - max(committed.get((topic.name, partition), span.first), span.first)
        for (_, partition), span in spans(settings, client, [topic]).items()
    )
