"""Rules by which an answer loses before any judge is asked: it says nothing, or hides something.

Such answers have won against models that judge ("master keys": a colon, "Let me think"; Zhao et al.
2025, arXiv 2507.08794), and asking costs money. Pure.
"""

import re
import unicodedata
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Final

from schemas.events import Comparison
from schemas.records import PreCheck, Winner

# Change it with any change of a rule: it is part of the judge_config_hash.
PRE_CHECKS_VERSION: Final = "1"

# Below this many words a text may well say the same thing twice.
_REPEATED_WORDS: Final = 40
_NGRAM: Final = 4
# A table of 100 like rows still has a tenth of its 4-grams distinct; a loop has hardly any.
_DISTINCT_SHARE: Final = 0.1

# The whole answer is this and no more: an opener without an answer, or a refusal to try. Not
# "okay", "none" or "unknown", which are right answers to some prompts (LLMBar has one).
_NON_ANSWER: Final = re.compile(
    r"(?:idk|todo|tbd"
    r"|(?:the )?(?:answer|solution|thought process|reasoning|explanation|response|output)"
    r"|let'?s (?:solve|think about) (?:this|it)(?: problem)?(?: step by step| carefully)?"
    r"|let me think(?: about (?:this|it))?(?: step by step)?"
    r"|(?:sure,? |of course,? )?here(?: i|')s (?:the|my|an) (?:answer|solution|response)"
    r"|i(?: do not|'?m not| am not| don'?t) (?:know|sure|understand)"
    r"|i (?:have no|don'?t have an?) (?:idea|answer)|no (?:answer|comment|idea))",
    re.IGNORECASE,
)
_EDGES: Final = " \t\r\n*_`\"'()[]{}#>.,:;!?-–—…"

# Direction overrides and isolates, and the tag characters that spell text nobody sees.
_HIDDEN: Final = frozenset(
    chr(code)
    for first, last in ((0x202A, 0x202E), (0x2066, 0x2069), (0xE0000, 0xE007F))
    for code in range(first, last + 1)
)
_LAYOUT: Final = "\t\n\r"

Rule = Callable[[str], str | None]


def empty(text: str) -> str | None:
    """White space, or characters without any width, are no answer."""
    seen = [char for char in text if not char.isspace() and unicodedata.category(char) != "Cf"]
    return None if seen else "nothing to read"


def punctuation_only(text: str) -> str | None:
    """Not one letter, digit or symbol of any script; "42", "±∞" and "👍" are answers."""
    kinds = {unicodedata.category(char)[0] for char in text if not char.isspace()}
    return "no letter, digit or symbol" if kinds and not kinds & {"L", "N", "S"} else None


def non_answer(text: str) -> str | None:
    """The whole text is an opener or says that there is no answer."""
    bare = text.strip(_EDGES).replace("’", "'")
    return f"only {bare!r}" if _NON_ANSWER.fullmatch(bare) else None


def repeated(text: str) -> str | None:
    """A loop: of many words hardly any four in a row are new."""
    words = text.split()
    if len(words) < _REPEATED_WORDS:
        return None
    grams = Counter(zip(*(words[start:] for start in range(_NGRAM)), strict=False))
    share = len(grams) / grams.total()
    if share > _DISTINCT_SHARE:
        return None
    most, count = grams.most_common(1)[0]
    return f"{' '.join(most)[:80]!r} stands {count} times"


def hidden_characters(text: str) -> str | None:
    """Control characters, direction overrides and tags: people and judge would read two texts."""
    for char in text:
        control = unicodedata.category(char) == "Cc" and char not in _LAYOUT
        if control or char in _HIDDEN:
            return f"U+{ord(char):04X} at {text.index(char)}"
    return None


RULES: Final[tuple[Rule, ...]] = (empty, punctuation_only, non_answer, repeated, hidden_characters)


def pre_checked(comparison: Comparison) -> tuple[PreCheck, ...]:
    """The first rule against each candidate; empty where a judge has to be asked.

    A rule against both decides nothing between them, but neither is worth a call.
    """
    found = []
    for name, side in (("A", comparison.a), ("B", comparison.b)):
        for rule in RULES:
            evidence = rule(side.candidate.output)
            if evidence is not None:
                found.append(PreCheck(candidate=name, rule=rule.__name__, evidence=evidence))
                break
    return tuple(found)


def rule_winner(found: Sequence[PreCheck]) -> Winner:
    """The candidate without a finding; a tie where both have one."""
    losers = {one.candidate for one in found}
    if len(losers) > 1:
        return Winner.TIE
    return Winner.B if "A" in losers else Winner.A
