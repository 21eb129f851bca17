"""The limit on the length of one text (design §4, sizes)."""

from collections.abc import Iterator

from schemas.errors import Poison
from schemas.events import (
    MAX_TEXT_BYTES,
    CandidateSet,
    Comparison,
    Completion,
    Event,
    Judgment,
    PromptEvent,
    Verification,
)


def check_text_size(event: Event) -> None:
    """Raise ``Poison`` where a message, completion or candidate is longer than 1 MiB of UTF-8."""
    for name, text in _texts(event):
        # UTF-8 is at most 4 bytes a character: most texts need no encoding to be known short.
        if len(text) * 4 <= MAX_TEXT_BYTES:
            continue
        size_bytes = len(text.encode("utf-8", "surrogatepass"))
        if size_bytes > MAX_TEXT_BYTES:
            raise Poison(
                f"{name} is {size_bytes:,} bytes long; at most {MAX_TEXT_BYTES:,} are processed"
            )


def _texts(event: Event) -> Iterator[tuple[str, str]]:
    if isinstance(event, Judgment):
        yield from _texts(event.comparison)
    if isinstance(event, Completion | PromptEvent):
        for n, message in enumerate(event.messages):
            yield f"message {n} of the prompt", message.content
    if isinstance(event, Completion):
        yield "the output", event.output
    elif isinstance(event, CandidateSet):
        for candidate in event.candidates:
            yield f"candidate {candidate.completion_id}", candidate.output
    elif isinstance(event, Verification):
        for verified in event.candidates:
            yield f"candidate {verified.candidate.completion_id}", verified.candidate.output
    elif isinstance(event, Comparison):
        yield "candidate A", event.a.candidate.output
        yield "candidate B", event.b.candidate.output
