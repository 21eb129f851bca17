"""The part of an answer that is its number, and the one notation that every spelling is put in."""

import re
import unicodedata
from typing import Final, Literal

Extraction = Literal["boxed", "last_number", "tagged", "whole"]

MAX_CHARACTERS: Final = 1000
"""Of the part that is read; no number or formula that anyone checks is longer."""
_TAIL_CHARACTERS: Final = 4000
"""How far back the last number of an answer is looked for."""

_SUPERSCRIPTS: Final = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻", "0123456789+-")
_SUPERSCRIPT_RUN: Final = re.compile("[⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻]+")
_VULGAR: Final = re.compile("[¼-¾⅐-⅞]")
_CHARACTERS: Final = str.maketrans(
    {"−": "-", "–": "-", "‒": "-", "×": "*", "·": "*", "⋅": "*", "∙": "*", "÷": "/", "⁄": "/"}
    | {"∕": "/", "∞": " inf ", "π": " pi ", "√": " sqrt ", "’": "'", "μ": "µ", "∪": " \\cup "}
)
_LATEX: Final = (
    (re.compile(r"\\(?:left|right|[bB]igg?[lr]?|displaystyle)(?![A-Za-z])"), ""),
    (re.compile(r"\\(?:text|mathrm|mbox|textbf|mathbf|operatorname)\s*\{([^{}]*)\}"), r" \1 "),
    (re.compile(r"\\[dtc]frac(?![A-Za-z])"), r"\\frac"),
    (re.compile(r"\\(?:times|cdot)(?![A-Za-z])"), "*"),
    (re.compile(r"\\div(?![A-Za-z])"), "/"),
    (re.compile(r"\\(?:infty|infin)(?![A-Za-z])"), " inf "),
    (re.compile(r"\^\s*\{?\s*\\(?:circ|degree)(?![A-Za-z])\s*\}?"), "°"),
    (re.compile(r"\\degree(?![A-Za-z])"), "°"),
    (re.compile(r"\{,\}"), ","),
    (re.compile(r"\\!"), ""),
    (re.compile(r"\\[,;: ]|~"), " "),
    (re.compile(r"\\([%{}])"), r"\1"),
    (re.compile(r"\\\$"), " USD "),
)
_DELIMITERS: Final = (("$$", "$$"), ("$", "$"), (r"\(", r"\)"), (r"\[", r"\]"))

_DIGITS: Final = r"(?:\d{1,3}(?:,\d{3})+(?!\d)|\d+)(?:\.\d+)?|\.\d+"
_ANY_NUMBER: Final = re.compile(
    r"(?:(?<![\w)\].,])[-+]\s?)?(?:(?:USD|[$€£¥₹])\s?)?"
    rf"(?:\d*\s*\\frac\{{\d+\}}\{{\d+\}}|(?<![\w.,])(?:{_DIGITS})"
    rf"(?:[eE][-+]?\d+|\s*\*\s*10\s*\^\s*(?:\{{[-+]?\d+\}}|\([-+]?\d+\)|[-+]?\d+)"
    rf"|\s\d+/\d+|\s?/\s?(?:{_DIGITS}))?)"
    r"(?:\s?%|\s?°\s?[CF]?|\s?[€£¥₹]|\s?[A-Za-zµΩ]+(?:/[A-Za-z]+)?(?:\^\(?\d\)?)?)?",
    re.ASCII,
)


class NumberInvalid(ValueError):
    """The text is not what was asked for; the message says why."""


def extract_number(answer: str, rule: Extraction, tag: str = "answer") -> str:
    r"""The part that holds the answer. Raises ``NumberInvalid`` where the rule finds none.

    boxed        what the last ``\boxed{…}`` holds
    tagged       what the last ``<tag>…</tag>`` holds; a tag that is no name is a marker
                 (``####``, ``Answer:``), and the rest of its last line counts
    last_number  the last number with the word behind it, within the last 4,000 characters
    whole        the whole answer

    The last and not any: an answer may not hold several tries of which one is right.
    """
    match rule:
        case "boxed":
            found = _boxed(answer)
        case "tagged":
            found = _tagged(answer, tag) if re.fullmatch(r"\w+", tag) else _marked(answer, tag)
        case "last_number":
            tail = plain(answer[-_TAIL_CHARACTERS:])
            numbers = [match[0] for match in _ANY_NUMBER.finditer(tail)]
            found = numbers[-1] if numbers else None
        case "whole":
            found = answer
    if found is None or not found.strip():
        raise NumberInvalid(f"no answer is found by the rule {rule}")
    return bounded(found.strip())


def bounded(text: str) -> str:
    """The text, or ``NumberInvalid`` where it is longer than any number."""
    if len(text) > MAX_CHARACTERS:
        raise NumberInvalid(f"{len(text)} characters, the limit is {MAX_CHARACTERS}")
    return text


def plain(text: str) -> str:
    """ASCII minus signs, ``*``, ``/`` and ``^( )`` for all their typographic forms, and LaTeX
    without what only lays out. ``\\frac`` and ``\\sqrt`` stay; an escaped dollar is ``USD``."""
    text = _VULGAR.sub(lambda match: " " + unicodedata.normalize("NFKC", match[0]), text)
    text = _SUPERSCRIPT_RUN.sub(lambda match: f"^({match[0].translate(_SUPERSCRIPTS)})", text)
    text = unicodedata.normalize("NFKC", text.translate(_CHARACTERS)).translate(_CHARACTERS)
    for pattern, replacement in _LATEX:
        text = pattern.sub(replacement, text)
    return text.strip()


def undelimited(text: str) -> str:
    r"""Without the ``$…$`` or ``\(…\)`` that marks the whole of it as mathematics."""
    text = text.strip()
    for opening, closing in _DELIMITERS:
        inner = len(text) - len(opening) - len(closing)
        if inner > 0 and text.startswith(opening) and text.endswith(closing):
            return text[len(opening) : -len(closing)].strip()
    return text


def _boxed(answer: str) -> str | None:
    start = answer.rfind(r"\boxed{")
    if start < 0:
        return None
    start += len(r"\boxed{")
    depth = 1
    for index in range(start, min(len(answer), start + MAX_CHARACTERS + 1)):
        if answer[index] in "{}" and answer[index - 1] != "\\":
            depth += 1 if answer[index] == "{" else -1
            if depth == 0:
                return answer[start:index]
    return None


def _tagged(answer: str, tag: str) -> str | None:
    end = answer.rfind(f"</{tag}>")
    start = answer.rfind(f"<{tag}>", 0, max(end, 0))
    return answer[start + len(tag) + 2 : end] if start >= 0 else None


def _marked(answer: str, marker: str) -> str | None:
    _, found, rest = answer.rpartition(marker)
    return rest.split("\n", 1)[0] if found else None
