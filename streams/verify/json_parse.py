"""JSON as RFC 8259 has it and nothing more, within bounds that hold before anything is parsed."""

import json
import math
import re
from typing import Any, Final, NoReturn

JSON = Any
"""A parsed document: None, bool, int, float, str, list or dict of these."""

MAX_CHARACTERS: Final = 256 * 1024
"""A longer document is no answer; it bounds every later step."""
MAX_DEPTH: Final = 64
"""Validation recurses about eight frames a level, and Python stops at a thousand."""
MAX_NUMBER_CHARACTERS: Final = 400
"""The largest double has 309 digits; reading a number takes time quadratic in its digits."""

# A string, or a bracket: strings are skipped whole, so that a bracket in one does not count. An
# unclosed one reaches to the end, or each of its escaped quotes would be tried as a start.
_STRING_OR_BRACKET: Final = re.compile(r'"(?:[^"\\]|\\.)*+(?:"|\\?\Z)|[][{}]', re.DOTALL)


class JsonInvalid(ValueError):
    """The text is no JSON document; the message says what and where."""


def parse_json(text: str) -> JSON:
    """The document. Raises ``JsonInvalid``.

    Beyond what the grammar refuses (NaN, trailing text, comments), these are refused: a key that
    stands twice in an object, a number that overflows a double or is absurdly long, a lone
    surrogate, and documents over the bounds above.
    """
    if len(text) > MAX_CHARACTERS:
        raise JsonInvalid(f"{len(text)} characters, the limit is {MAX_CHARACTERS}")
    _check_depth(text)
    try:
        value = json.loads(
            text,
            object_pairs_hook=_unique,
            parse_constant=_refuse_constant,
            parse_int=_integer,
            parse_float=_finite,
        )
    except json.JSONDecodeError as error:
        raise JsonInvalid(f"{error.msg} (line {error.lineno} column {error.colno})") from None
    _check_text(text, value)
    return value


def _check_depth(text: str) -> None:
    depth = 0
    for match in _STRING_OR_BRACKET.finditer(text):
        token = match[0]
        if token in "[{":
            depth += 1
            if depth > MAX_DEPTH:
                raise JsonInvalid(
                    f"nested deeper than {MAX_DEPTH} levels at character {match.start() + 1}"
                )
        elif token in "]}":
            depth -= 1


def _check_text(text: str, value: JSON) -> None:
    """Only an escape can make a lone surrogate out of text that has none."""
    if "\\u" not in text and text.isascii():
        return
    try:
        json.dumps(value, ensure_ascii=False).encode("utf-8")
    except UnicodeEncodeError as error:
        found = str(error.object)[error.start]
        raise JsonInvalid(f"a lone surrogate \\u{ord(found):04x}") from None


def _unique(pairs: list[tuple[str, JSON]]) -> dict[str, JSON]:
    found = dict(pairs)
    if len(found) != len(pairs):
        seen: set[str] = set()
        for key, _ in pairs:
            if key in seen:
                raise JsonInvalid(f"the key {key[:60]!r} stands twice in one object")
            seen.add(key)
    return found


def _refuse_constant(name: str) -> NoReturn:
    raise JsonInvalid(f"{name} is no JSON number")


def _integer(digits: str) -> int:
    return int(_short(digits))


def _finite(number: str) -> float:
    value = float(_short(number))
    if not math.isfinite(value):
        raise JsonInvalid(f"the number {number} is too large")
    return value


def _short(number: str) -> str:
    if len(number) > MAX_NUMBER_CHARACTERS:
        raise JsonInvalid(f"a number of {len(number)} characters")
    return number
