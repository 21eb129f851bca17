"""What the verifiers have to know of a prompt to reward its answers, from the log of samples."""

import json
from collections.abc import Collection, Iterable

from infra.settings import Settings
from infra.topic_log import LoggedEvent, read, snapshot
from schemas.events import TOPICS, CandidateSet
from trainer.online import PromptColumns


def read_prompt_columns(settings: Settings, prompt_ids: Collection[str]) -> PromptColumns:
    """The columns of each of these prompts; raises ``DependencyDown`` without Kafka."""
    logged = read(settings, snapshot(settings, TOPICS[CandidateSet]))
    return prompt_columns(logged, prompt_ids)


def prompt_columns(logged: Iterable[LoggedEvent], prompt_ids: Collection[str]) -> PromptColumns:
    """``expectations`` and ``context`` as JSON. Pure.

    They are of the first sample of the prompt that has any. A prompt without gets empty ones: what
    its answers are worth is then not known, which is logged as ``unknown/checks``.
    """
    empty: dict[str, object] = {"expectations": "[]", "context": "[]"}
    found: dict[str, dict[str, object]] = {}
    for one in logged:
        event = one.event
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
