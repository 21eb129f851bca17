"""Fenced code blocks of an answer, in one pass over its lines.

No regular expression spans lines here: on a megabyte of backticks such a one is quadratic.
"""

import re
from dataclasses import dataclass
from typing import Final

# Each part can match nothing at all, so no input makes it try again.
_OPENING: Final = re.compile(r"[ \t]*(?P<mark>`{3,}|~{3,})[ \t]*(?P<label>[\w+-]*)")
_LABEL: Final = re.compile(r"[\w+-]*")
_BACKTICKS: Final = "```"


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

    A block is opened by a line that begins with a mark, and closed by one that is the same mark
    and nothing else. Models glue backticks to the end of a line (``Sure:```sql``), where CommonMark
    sees no fence, yet nobody can mean anything else: there they open a block too, with a label or
    without, and a block's own close it. Labels are lower case.
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
            end = _closing(line, mark)
            if end is not None:
                blocks.append(_block(text, label, start, place + end))
                mark = ""
        elif opening := _OPENING.match(line):
            mark, label, start = opening["mark"], opening["label"].lower(), after
        else:
            before, mark, label = _glued_opening(line)
            around.append(before)
            start = after
        place = after
    if mark:
        blocks.append(_block(text, label, min(start, len(text)), len(text)))
    return blocks, around


def _closing(line: str, mark: str) -> int | None:
    """Where in the line the block of this mark ends; None where it goes on."""
    stripped = line.rstrip(" \t\r")
    body = stripped.removesuffix(mark)
    if body == stripped or body.endswith(mark[0]):
        return None
    if not body.strip(" \t"):
        return 0
    return len(body) if mark[0] == "`" else None


def _glued_opening(line: str) -> tuple[str, str, str]:
    """The line's own text, and the mark and label that stand behind it, if any do."""
    before, mark, label = line.rstrip(" \t\r").rpartition(_BACKTICKS)
    own = before.rstrip("`")
    # An odd mark before it: this one ends code within the line.
    if not mark or own.count(_BACKTICKS) % 2 or not _LABEL.fullmatch(label):
        return line, "", ""
    return own, mark + before[len(own) :], label.lower()


def _block(text: str, label: str, start: int, end: int) -> FencedBlock:
    return FencedBlock(label=label, body=text[start:end], start=start, end=end)
