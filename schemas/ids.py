"""Content ids: the same work always gets the same id, so doing it twice is harmless."""

import hashlib
import json
import re
import unicodedata
from collections.abc import Iterable, Sequence
from typing import NewType
from uuid import UUID, uuid5

from pydantic import BaseModel

EventId = NewType("EventId", str)
PromptId = NewType("PromptId", str)
ConfigHash = NewType("ConfigHash", str)

# Fixed for ever: changing it would change every id ever written.
_NAMESPACE = UUID("6f1a6f0e-52a5-5d0c-9d5c-70726566734d")
_SPACES = re.compile(r"\s+")


def derived_id(
    event_type: str,
    stage: str,
    source_ids: Iterable[str],
    config_hash: str,
    ordinal: int = 0,
) -> EventId:
    """Id of an event that a stage made: what it is, who made it, from what, how, and which."""
    name = json.dumps([event_type, stage, list(source_ids), config_hash, ordinal])
    return EventId(str(uuid5(_NAMESPACE, name)))


def captured_id(workload_id: str, external_id: str) -> EventId:
    """Id of a captured event from the id its own system gave it."""
    return EventId(str(uuid5(_NAMESPACE, json.dumps(["captured", workload_id, external_id]))))


def line_id(workload_id: str, file_sha256: str, line: int) -> EventId:
    """Id of an imported event that carries none: workload, hash of the file and 1-based line."""
    return EventId(str(uuid5(_NAMESPACE, json.dumps(["line", workload_id, file_sha256, line]))))


def prompt_id(workload_id: str, messages: Sequence[tuple[str, str]]) -> PromptId:
    """Id of a prompt: the workload and its (role, content) messages, Unicode and space folded."""
    folded = [
        [role, _SPACES.sub(" ", unicodedata.normalize("NFC", content)).strip()]
        for role, content in messages
    ]
    return PromptId(str(uuid5(_NAMESPACE, json.dumps(["prompt", workload_id, folded]))))


def text_sha256(text: str) -> str:
    """Hex SHA-256 of the text's UTF-8 bytes; lone surrogates are hashed as they stand."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def config_hash(*parts: BaseModel | str) -> ConfigHash:
    """First 16 hex digits of the hash of all that can change a result.

    Models count by their JSON with sorted keys; leave endpoints, concurrency and time-outs out of
    the models that are passed here, or equal results would carry unequal hashes.
    """
    canonical = [
        json.dumps(part.model_dump(mode="json"), sort_keys=True)
        if isinstance(part, BaseModel)
        else part
        for part in parts
    ]
    return ConfigHash(text_sha256(json.dumps(canonical))[:16])


def unit_interval(*parts: str) -> float:
    """A stable pseudo-random number in [0, 1) from the parts: sampling and seeded order."""
    digest = hashlib.sha256("\x1f".join(parts).encode("utf-8", "surrogatepass")).digest()
    return int.from_bytes(digest[:7], "big") / 2**56
