"""Prompts that anchors were drawn of, or that people labelled: a draw leaves them alone."""

from infra.settings import Settings
from infra.topic_log import events
from schemas.events import Comparison, Label
from schemas.records import Purpose


def taken_prompts(settings: Settings) -> frozenset[str]:
    """Their ids. Raises ``DependencyDown`` where Kafka is away."""
    drawn = (one.prompt_id for one in events(settings, Comparison) if one.purpose is Purpose.ANCHOR)
    return frozenset(drawn) | {one.prompt_id for one in events(settings, Label)}
