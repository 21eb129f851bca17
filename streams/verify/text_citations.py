"""Whether what an answer quotes and cites is in the passages that were retrieved for it."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from schemas.records import Passage
from streams.verify.fenced_blocks import without_blocks
from streams.verify.text_phrases import folded

# No class holds its own opening mark, so an unclosed one costs no more than the way to the next.
_QUOTED: Final = re.compile(
    r'„([^„“”\n]+)[“”]|“([^“”\n]+)”|«([^«»\n]+)»|»([^«»\n]+)«|(?<![\w"])"([^"\n]+)"'
)
_ELLIPSIS: Final = re.compile(r"\[(?:\.\.\.|…)\]|\.\.\.|…")
# Not behind a word (an index), not before a parenthesis (a link).
_NUMBERS: Final = re.compile(r"(?<![\w\]])\[(\d{1,4}(?:\s?[,;–-]\s?\d{1,4}){0,20})\](?!\()")
_SOURCES: Final = re.compile(r"(?<!\w)\[([^\[\]\n]{2,200})\](?!\()")
MAX_QUOTES: Final = 500
"""Each is looked for in every passage; who quotes more is not believed."""

_PUNCTUATION: Final = " .,;:!?'\"-"


@dataclass(frozen=True, kw_only=True)
class Faithfulness:
    """How many quotations and citations there are, and what is not in the context."""

    claims: int
    missing: tuple[str, ...]

    @property
    def score(self) -> float:
        """The share that is in the context; 1 where there is none."""
        return 1 - len(self.missing) / self.claims if self.claims else 1.0


def check_citations(
    answer: str, context: Sequence[Passage], *, by_source: bool, min_quote_words: int
) -> Faithfulness:
    """Every quotation of so many words stands in one passage, whatever its case, spacing and final
    punctuation; its parts around an ellipsis stand there in their order. Every citation names a
    passage. Fenced code does not count.
    """
    prose = without_blocks(answer)
    texts = [folded(passage.text) for passage in context]
    quoted = dict.fromkeys(_quotes(prose))
    quotes = [quote for quote in quoted if len(quote.split()) >= min_quote_words]
    cited = list(_cited_sources(prose) if by_source else _cited_numbers(prose))
    known = (
        {folded(passage.source) for passage in context}
        if by_source
        else {str(number) for number in range(1, len(context) + 1)}
    )
    missing = [
        f'quoted: "{quote}"'
        for index, quote in enumerate(quotes)
        if index >= MAX_QUOTES or not _stands(quote, texts)
    ]
    missing += [f"cited: [{name}]" for name in cited if folded(name) not in known]
    return Faithfulness(claims=len(quotes) + len(cited), missing=tuple(missing))


def _quotes(prose: str) -> Iterator[str]:
    for match in _QUOTED.finditer(prose):
        yield next(group for group in match.groups() if group is not None)


def _stands(quote: str, texts: Sequence[str]) -> bool:
    parts = [folded(part).strip(_PUNCTUATION) for part in _ELLIPSIS.split(quote)]
    return any(_in_order([part for part in parts if part], text) for text in texts)


def _in_order(parts: Sequence[str], text: str) -> bool:
    position = 0
    for part in parts:
        found = text.find(part, position)
        if found < 0:
            return False
        position = found + len(part)
    return True


def _cited_numbers(prose: str) -> Iterator[str]:
    for match in _NUMBERS.finditer(prose):
        for part in re.split(r"[,;]", match[1]):
            # Of a range its ends: what lies between is there where they are.
            yield from (str(int(number)) for number in re.split(r"[–-]", part))


def _cited_sources(prose: str) -> Iterator[str]:
    yield from (match[1].strip() for match in _SOURCES.finditer(prose) if match[1].strip())
