"""What the verifiers have to know of a prompt to reward its answers, from its samples."""

import json
from collections.abc import Collection, Iterable, Iterator

from infra.settings import Settings
from infra.topic_log import read, snapshot
from schemas.events import TOPICS, CandidateSet, Event
from trainer.online import PromptColumns


def logged_samples(settings: Settings) -> Iterator[Event | None]:
    """What the topic of samples holds now; raises ``DependencyDown`` without Kafka."""
    return (one.event for one in read(settings, snapshot(settings, TOPICS[CandidateSet])))


def prompt_columns(samples: Iterable[Event | None], prompt_ids: Collection[str]) -> PromptColumns:
    """``expectations`` and ``context`` as JSON. Pure.

    They are of the first sample of the prompt that has any. A prompt without gets empty ones: what
    its answers are worth is then not known, which is logged as ``unknown/checks``.
    """
    empty: dict[str, object] = {"expectations": "[]", "context": "[]"}
    found: dict[str, dict[str, object]] = {}
    for event in samples:
        if (
            isinstance(event, CandidateSet)
            and event.expectations
            and event.prompt_id in prompt_ids
            and event.prompt_id not in found
        ):
            records = {"expectations": event.expectations, "context": event.context}
            found[event.prompt_id] = {
                name: json.dumps([record.model_dump(mode="json") for record in column])
                for name, column in records.items()
            }
    return {prompt_id: found.get(prompt_id, empty) for prompt_id in prompt_ids}
