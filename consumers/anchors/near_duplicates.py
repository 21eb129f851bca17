"""Prompts that are an anchor's in other words: training on them would leak what measures."""

import re
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import ceil

from schemas.events import Messages

_WORD = re.compile(r"\w+")
SHINGLE_WORDS = 3
SIMILARITY = 0.8
"""Jaccard similarity of shingles from which two prompts are one: one word in fifteen changed."""
LEAST_SHINGLES = 12
"""Below it one word more or less is another question; such prompts must have the same words."""
# what more than this share of the measured prompts say is a template's text
_TEMPLATE_SHARE = 0.05
_TEMPLATE_LEAST = 20

Shingle = tuple[str, ...]


def asked(messages: Messages) -> str:
    """What is compared: all turns but the system's, which are the application's own."""
    return "\n".join(turn.content for turn in messages if turn.role != "system")


@dataclass(frozen=True, kw_only=True)
class _Text:
    words: str
    shingles: frozenset[Shingle]


def near_duplicates(
    measured: Mapping[str, str], candidates: Iterable[tuple[str, str]]
) -> dict[str, str]:
    """By candidate's id, the id of a measured text that it nearly repeats; texts with their ids.

    The same words in the same order (case, accents' encoding, punctuation and space apart), or
    shingles of three words of which at least 0.8 are shared. Shingles of a template, in more than
    a twentieth of the measured texts, count for nothing. Prefix filtering (Bayardo, Ma and
    Srikant 2007): of two sets so alike the rarest few elements of one hold one of the other's.
    """
    if not measured:
        return {}
    known = {key: _text(text) for key, text in sorted(measured.items())}
    said: dict[str, str] = {}
    for key, one in known.items():
        said.setdefault(one.words, key)
    counts = Counter(shingle for one in known.values() for shingle in one.shingles)
    limit = max(_TEMPLATE_LEAST, _TEMPLATE_SHARE * len(known))
    template = {shingle for shingle, n in counts.items() if n > limit}
    own = {key: one.shingles - template for key, one in known.items()}
    index: defaultdict[Shingle, list[str]] = defaultdict(list)
    for key, shingles in own.items():
        for shingle in _prefix(shingles, counts):
            index[shingle].append(key)
    found: dict[str, str] = {}
    for key, text in candidates:
        one = _text(text)
        match = said.get(one.words) or _match(one.shingles - template, own, index, counts)
        if match is not None:
            found[key] = match
    return found


def _match(
    shingles: frozenset[Shingle],
    own: Mapping[str, frozenset[Shingle]],
    index: Mapping[Shingle, Sequence[str]],
    counts: Counter[Shingle],
) -> str | None:
    if index.keys().isdisjoint(shingles):
        return None
    rivals = {key for shingle in _prefix(shingles, counts) for key in index.get(shingle, ())}
    for key in sorted(rivals):
        other = own[key]
        if len(shingles & other) >= SIMILARITY * len(shingles | other):
            return key
    return None


def _prefix(shingles: frozenset[Shingle], counts: Counter[Shingle]) -> Iterable[Shingle]:
    """The rarest elements, as many as make sure that a set so alike has one of them."""
    if len(shingles) < LEAST_SHINGLES:
        return ()
    needed = len(shingles) - ceil(SIMILARITY * len(shingles)) + 1
    return sorted(shingles, key=lambda one: (counts[one], one))[:needed]


def _text(text: str) -> _Text:
    words = _WORD.findall(unicodedata.normalize("NFKC", text).casefold())
    places = range(len(words) - SHINGLE_WORDS + 1)
    shingles = frozenset(tuple(words[n : n + SHINGLE_WORDS]) for n in places)
    return _Text(words=" ".join(words), shingles=shingles)
