"""The JSON in an answer, found by rule."""

from dataclasses import dataclass
from typing import Final

from streams.verify.fenced_blocks import fenced_blocks

_JSON_LABELS: Final = frozenset({"json"})


@dataclass(frozen=True, kw_only=True)
class ExtractedJson:
    """The document's text, and by which rule it was found among how many fenced blocks."""

    text: str
    rule: str
    blocks: int


def extract_json(answer: str) -> ExtractedJson | None:
    """The first block fenced as JSON, else the first without a label, else the whole text.

    The first and not the best: an answer may not hold several tries of which one is right. None
    where that leaves nothing.
    """
    blocks = fenced_blocks(answer)
    for rule, labels in (("json_fence", _JSON_LABELS), ("plain_fence", frozenset({""}))):
        for block in blocks:
            if block.label in labels:
                return _found(block.body, rule, len(blocks))
    return _found(answer, "whole_text", len(blocks))


def _found(text: str, rule: str, blocks: int) -> ExtractedJson | None:
    text = text.strip()
    return ExtractedJson(text=text, rule=rule, blocks=blocks) if text else None
