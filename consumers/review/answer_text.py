"""An answer as the page shows it: prose as it stands, code highlighted, differences marked.

Texts are hostile: everything that leaves here as markup was escaped here.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from markupsafe import Markup, escape
from pygments.lexers import get_lexer_by_name
from pygments.token import STANDARD_TYPES
from pygments.util import ClassNotFound
from rapidfuzz.distance import Indel

from streams.verify.fenced_blocks import FencedBlock, in_order

# Colouring more than this takes longer than a person waits; it is shown plain.
_HIGHLIGHTED_CHARACTERS = 50_000
# Beyond this the difference is taken by lines: the table of the comparison grows with the product.
_DIFF_WORDS = 20_000

_SQL = re.compile(r"\s*(select|with)\b", re.IGNORECASE)
_WORDS = re.compile(r"\s+|\w+|[^\w\s]")


@dataclass(frozen=True, kw_only=True)
class Block:
    """A piece of an answer, escaped; ``language`` is None for prose."""

    language: str | None
    html: Markup


@dataclass(frozen=True, kw_only=True)
class Piece:
    """A run of one side of a difference; ``kind`` is only where the other side lacks it."""

    kind: Literal["same", "only"]
    text: str


def blocks(text: str) -> list[Block]:
    """The answer's prose and code, in order; an answer that is nothing but SQL is code."""
    parts = list(in_order(text))
    if parts == [text] and _SQL.match(text):
        return [_code("sql", text)]
    return [block for part in parts for block in _shown(part)]


def difference(left: str, right: str) -> tuple[list[Piece], list[Piece]]:
    """Both texts as pieces, word by word: together the pieces are the texts."""
    ours, theirs = _words(left), _words(right)
    pieces: tuple[list[Piece], list[Piece]] = ([], [])
    for op in Indel.opcodes(ours, theirs):
        kind: Literal["same", "only"] = "same" if op.tag == "equal" else "only"
        runs = (ours[op.src_start : op.src_end], theirs[op.dest_start : op.dest_end])
        for side, run in zip(pieces, runs, strict=True):
            if run:
                side.append(Piece(kind=kind, text="".join(run)))
    return pieces


def _shown(part: FencedBlock | str) -> Iterator[Block]:
    if isinstance(part, FencedBlock):
        yield _code(part.label or "text", part.body)
    elif part.strip():
        yield Block(language=None, html=escape(part.strip("\n")))


def _code(language: str, code: str) -> Block:
    return Block(language=language, html=_highlighted(language, code.rstrip("\n")))


def _highlighted(language: str, code: str) -> Markup:
    if len(code) > _HIGHLIGHTED_CHARACTERS:
        return escape(code)
    try:
        lexer = get_lexer_by_name(language, stripnl=False, ensurenl=False)
    except ClassNotFound:
        return escape(code)
    # Every value is escaped, and a class is a letter of Pygments' own, so together they are markup.
    parts: list[str] = []
    for token, value in lexer.get_tokens(code):
        # Only the first letter of Pygments' class: a palette of eight colours is enough to read.
        kind, shown = STANDARD_TYPES.get(token, "")[:1], escape(value)
        # Spaces have no colour, and are half of all tokens.
        plain = not kind or value.isspace()
        parts.append(shown if plain else f'<span class="t-{kind}">{shown}</span>')
    return Markup("".join(parts))


def _words(text: str) -> Sequence[str]:
    words: list[str] = _WORDS.findall(text)
    return words if len(words) <= _DIFF_WORDS else text.splitlines(keepends=True)
