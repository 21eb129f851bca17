"""Fenced code blocks of an answer, in one pass over its lines.

No regular expression spans lines here: on a megabyte of backticks such a one is quadratic.
"""

import re
from dataclasses import dataclass
from typing import Final

# Each part can match nothing at all, so no input makes it try again.
_OPENING: Final = re.compile(r"[ \t]*(?P<mark>`{3,}|~{3,})[ \t]*(?P<label>[\w+-]*)")


@dataclass(frozen=True, kw_only=True)
class FencedBlock:
    """What stands between two fences; ``label`` is the language named behind the first, if any.

    ``body`` is the text from ``start`` to before ``end``.
    """

    label: str
    body: str
    start: int
    end: int


def fenced_blocks(text: str) -> list[FencedBlock]:
    """Every block in order; one that is never closed reaches to the end.

    A block is closed by a line that is its own opening mark and nothing else. Labels are lower
    case.
    """
    return _split(text)[0]


def without_blocks(text: str) -> str:
    """The text around the fenced blocks."""
    return "\n".join(_split(text)[1])


def _split(text: str) -> tuple[list[FencedBlock], list[str]]:
    blocks: list[FencedBlock] = []
    around: list[str] = []
    mark, label, start, place = "", "", 0, 0
    for line in text.split("\n"):
        after = place + len(line) + 1
        if mark:
            if line.strip(" \t\r") == mark:
                blocks.append(_block(text, label, start, place))
                mark = ""
        elif opening := _OPENING.match(line):
            mark, label, start = opening["mark"], opening["label"].lower(), after
        else:
            around.append(line)
        place = after
    if mark:
        blocks.append(_block(text, label, min(start, len(text)), len(text)))
    return blocks, around


def _block(text: str, label: str, start: int, end: int) -> FencedBlock:
    return FencedBlock(label=label, body=text[start:end], start=start, end=end)
