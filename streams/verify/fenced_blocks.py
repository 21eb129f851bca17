"""Fenced code blocks of an answer, in one pass over its lines.

No regular expression spans lines here: on a megabyte of backticks such a one is quadratic.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

# Each part can match nothing at all, so no input makes it try again.
_OPENING: Final = re.compile(r"[ \t]*(?P<mark>`{3,}|~{3,})[ \t]*(?P<label>[\w+-]*)")
_LABEL: Final = re.compile(r"[\w+-]*")
_ONE_WORD: Final = re.compile(r"[ \t]*[\w+-]+")
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
    and nothing else. Models glue backticks to text (``Sure:```sql``). CommonMark sees no fence
    there, yet nobody can mean anything else: so at the end of a line they open a block too, with a
    label or without, and a block's own close it there, or before words. Labels are lower case.
    """
    return [part for part in _split(text) if isinstance(part, FencedBlock)]


def without_blocks(text: str) -> str:
    """The text around the fenced blocks."""
    return "\n".join(part for part in _split(text) if isinstance(part, str))


def in_order(text: str) -> Iterator[FencedBlock | str]:
    """The blocks, and between them the text around them, as they follow one another."""
    around: list[str] = []
    for part in _split(text):
        if isinstance(part, str):
            around.append(part)
            continue
        if around:
            yield "\n".join(around)
        around = []
        yield part
    if around:
        yield "\n".join(around)


def _split(text: str) -> Iterator[FencedBlock | str]:
    """Blocks, and the lines around them."""
    mark, label, start, place = "", "", 0, 0
    for line in text.split("\n"):
        after = place + len(line) + 1
        if mark:
            if closing := _closing(line, mark):
                body, behind = closing
                yield _block(text, label, start, place + len(body))
                if behind:
                    yield behind
                mark = ""
        elif opening := _OPENING.match(line):
            mark, label, start = opening["mark"], opening["label"].lower(), after
        else:
            before, mark, label = _glued_opening(line)
            yield before
            start = after
        place = after
    if mark:
        yield _block(text, label, min(start, len(text)), len(text))


def _closing(line: str, mark: str) -> tuple[str, str] | None:
    """What of the line is the block's, and what stands behind its end; None where it goes on."""
    body, found, behind = line.strip(" \t\r").partition(mark)
    if not found or behind.startswith(mark[0]):
        return None
    if not body and not behind:
        return "", ""
    # One word behind it could be the label of another block.
    if mark[0] != "`" or "`" in behind or (body and behind) or _ONE_WORD.fullmatch(behind):
        return None
    return line[: line.index(mark)], behind.strip()


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
