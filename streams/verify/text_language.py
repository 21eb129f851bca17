"""The language of a text, guessed by its script and its most frequent words.

No model: it knows the languages below and takes any other for unknown or for a neighbour. It is
meant to notice an answer in the wrong language, not to name one. Fenced code does not count.
"""

import re
from collections import Counter
from dataclasses import dataclass
from typing import Final, Literal, get_args

from streams.verify.fenced_blocks import without_blocks

Language = Literal[
    "en",
    "de",
    "fr",
    "es",
    "it",
    "pt",
    "nl",
    "ru",
    "uk",
    "el",
    "ar",
    "he",
    "hi",
    "th",
    "zh",
    "ja",
    "ko",
]

_LETTERS_NEEDED: Final = 20
_WORDS_NEEDED: Final = 3
"""So many of its frequent words must a text have to be of a language."""
_LEAD: Final = 1.5
"""And so many times those of the next: neighbours share some words."""
_READ_CHARACTERS: Final = 20_000

_SCRIPTS: Final = {
    "Latin": re.compile("[A-Za-zÀ-ÖØ-öø-ɏ]"),
    "Cyrillic": re.compile("[Ѐ-ԯ]"),
    "Greek": re.compile("[Ͱ-Ͽἀ-῿]"),
    "Arabic": re.compile("[؀-ۿݐ-ݿ]"),
    "Hebrew": re.compile("[\u0590-\u05ff]"),
    "Devanagari": re.compile("[\u0900-\u097f]"),
    "Thai": re.compile("[\u0e00-\u0e7f]"),
    "Kana": re.compile("[\u3040-\u30ff]"),
    "Han": re.compile("[\u4e00-\u9fff]"),
    "Hangul": re.compile("[\uac00-\ud7af]"),
}
# One language a script: who writes Persian or Marathi is taken for Arabic or Hindi.
_BY_SCRIPT: Final[dict[str, Language]] = {
    "Greek": "el",
    "Arabic": "ar",
    "Hebrew": "he",
    "Devanagari": "hi",
    "Thai": "th",
    "Han": "zh",
    "Hangul": "ko",
}
# About the forty most frequent words of each that tell it from the others.
_FREQUENT: Final[dict[Language, str]] = {
    "en": (
        "the of and to in is that it for was on are with as be this have from or had by but not "
        "what all were we when your can there an which their if will each about how you they"
    ),
    "de": (
        "der die und in den von zu das mit sich des auf für ist im dem nicht ein eine als auch es "
        "an werden aus er hat dass sie nach wird bei einer um am sind noch wie einem über so"
    ),
    "fr": (
        "de la le et les des en un du une que est pour qui dans a par plus pas au sur ne se ce il "
        "sont avec son cette ou nous vous mais être aux ces leur elle comme tout"
    ),
    "es": (
        "de la que el en y a los se del las un por con no una su para es al lo como más o pero sus "
        "le ha me si sin sobre este ya entre cuando todo esta ser son"
    ),
    "it": (
        "di e il la che in a per un del è una con non le si da i al nel sono della dei come ma "
        "alla più anche ha gli lo delle questo se o su ci suo cui essere"
    ),
    "pt": (
        "de a o que e do da em um para é com não uma os no se na por mais as dos como mas foi ao "
        "ele das tem à seu sua ou ser quando muito há nos já está"
    ),
    "nl": (
        "de en van ik te dat die in een hij het niet zijn is was op aan met als voor had er maar "
        "om hem dan zou of wat mijn men dit zo door over ze zich bij ook tot je"
    ),
    "ru": (
        "и в не на я что он с как это а по но из у за то все она так его к от о для же бы мы ты вы "
        "был если только есть или уже ещё"
    ),
    "uk": (
        "і в не на я що він з як це а по але із у за то все вона так його до від о для ж би ми ти "
        "ви був якщо тільки є або вже ще та"
    ),
}
_WORDS: Final = {language: frozenset(words.split()) for language, words in _FREQUENT.items()}
_LATIN: Final[tuple[Language, ...]] = ("en", "de", "fr", "es", "it", "pt", "nl")
_CYRILLIC: Final[tuple[Language, ...]] = ("ru", "uk")
_WORD: Final = re.compile(r"[^\W\d_]+")

LANGUAGES: Final[tuple[Language, ...]] = get_args(Language)


@dataclass(frozen=True, kw_only=True)
class Guess:
    """The language, None where there is too little to tell; ``reason`` is what was counted."""

    language: Language | None
    reason: str


def guess_language(text: str) -> Guess:
    """The language of the text's prose, from its first 20,000 characters."""
    prose = without_blocks(text)[:_READ_CHARACTERS]
    letters = {name: len(pattern.findall(prose)) for name, pattern in _SCRIPTS.items()}
    total = sum(letters.values())
    script = max(letters, key=lambda name: letters[name])
    if script == "Han" and letters["Kana"] * 10 > letters["Han"]:
        script = "Kana"
    if script == "Kana":
        letters["Kana"] += letters["Han"]
    # A Chinese or Korean sentence says in ten letters what takes others twenty.
    needed = _LETTERS_NEEDED // 2 if script in ("Kana", "Han", "Hangul") else _LETTERS_NEEDED
    if total < needed or letters[script] * 2 < total:
        return Guess(language=None, reason=f"{total} letters, {letters[script]} of them {script}")
    reason = f"{letters[script]} of {total} letters are {script}"
    if script == "Kana":
        return Guess(language="ja", reason=reason)
    if script in _BY_SCRIPT:
        return Guess(language=_BY_SCRIPT[script], reason=reason)
    return _by_words(prose, _CYRILLIC if script == "Cyrillic" else _LATIN)


def _by_words(prose: str, languages: tuple[Language, ...]) -> Guess:
    words = Counter(_WORD.findall(prose.casefold()))
    counts = {
        language: sum(count for word, count in words.items() if word in _WORDS[language])
        for language in languages
    }
    first, second = sorted(languages, key=lambda language: -counts[language])[:2]
    reason = f"{counts[first]} frequent words of {first}, {counts[second]} of {second}"
    clear = counts[first] >= _WORDS_NEEDED and counts[first] >= _LEAD * counts[second]
    return Guess(language=first if clear else None, reason=reason)
