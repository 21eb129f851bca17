"""The Python code in an answer, found by rule."""

from dataclasses import dataclass
from typing import Final

from streams.verify.fenced_blocks import fenced_blocks

_LABELS: Final = frozenset({"python", "python3", "py"})


@dataclass(frozen=True, kw_only=True)
class ExtractedCode:
    """The code, and by which rule it was found among how many fenced blocks."""

    code: str
    rule: str
    blocks: int


def extract_code(answer: str) -> ExtractedCode | None:
    """The first block fenced as Python, else the first without a label, else the whole text.

    The first and not the best: an answer may not hold several tries of which one is right. None
    where that leaves nothing.
    """
    blocks = fenced_blocks(answer)
    for rule, labels in (("python_fence", _LABELS), ("plain_fence", frozenset({""}))):
        for block in blocks:
            if block.label in labels:
                return _found(block.body, rule, len(blocks))
    return _found(answer, "whole_text", len(blocks))


def _found(code: str, rule: str, blocks: int) -> ExtractedCode | None:
    return ExtractedCode(code=code, rule=rule, blocks=blocks) if code.strip() else None
