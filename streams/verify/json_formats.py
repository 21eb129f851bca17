"""The formats of JSON Schema 2020-12 (section 7.3 of its validation document) that are checked."""

import re
from collections.abc import Callable
from datetime import date
from typing import Final
from urllib.parse import urlsplit

from jsonschema import Draft202012Validator, FormatChecker

UNCHECKED: Final = frozenset({"iri", "iri-reference", "uri-template", "relative-json-pointer"})
"""Standard formats that nothing here can check: a schema that asks for one is refused."""

_TIME: Final = re.compile(r"(\d\d):(\d\d):(\d\d)(?:\.\d+)?(?:[zZ]|[+-](\d\d):(\d\d))", re.ASCII)
_DURATION: Final = re.compile(
    r"P(?:\d+W|(?=.)(?:\d+Y)?(?:\d+M)?(?:\d+D)?(?:T(?=.)(?:\d+H)?(?:\d+M)?(?:\d+S)?)?)", re.ASCII
)
_LABEL: Final = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?", re.ASCII | re.IGNORECASE)
_URI_CHARACTERS: Final = re.compile(
    r"(?:[A-Za-z0-9._~:/?#\[\]@!$&'()*+,;=-]|%[0-9A-Fa-f]{2})*", re.ASCII
)
_SCHEME: Final = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:", re.ASCII)
_POINTER: Final = re.compile(r"(?:/(?:[^~/]|~[01])*)*", re.DOTALL)


def format_checker() -> FormatChecker:
    """The library's checks of 2020-12, and those that it leaves to optional packages."""
    checker = FormatChecker()
    # The class attribute is shared by everyone in the process: copied, not added to.
    checker.checkers = dict(Draft202012Validator.FORMAT_CHECKER.checkers)
    for name, check in (
        ("date-time", _is_date_time),
        ("time", _is_time),
        ("duration", _is_duration),
        ("hostname", _is_hostname),
        ("uri", _is_uri),
        ("uri-reference", _is_uri_reference),
        ("json-pointer", _is_json_pointer),
    ):
        checker.checks(name, raises=ValueError)(_of_strings(check))
    return checker


def _of_strings(check: Callable[[str], bool]) -> Callable[[object], bool]:
    return lambda value: not isinstance(value, str) or check(value)


def _is_date_time(text: str) -> bool:
    """RFC 3339: a date, T, and a time with its offset."""
    day, separator, time = text[:10], text[10:11], text[11:]
    return separator in ("T", "t") and _is_date(day) and _is_time(time)


def _is_date(text: str) -> bool:
    return re.fullmatch(r"\d{4}-\d\d-\d\d", text, re.ASCII) is not None and bool(
        date.fromisoformat(text)
    )


def _is_time(text: str) -> bool:
    """RFC 3339: an offset is required; a leap second is one."""
    match = _TIME.fullmatch(text)
    if match is None:
        return False
    hour, minute, second, offset_hour, offset_minute = (int(part or 0) for part in match.groups())
    in_range = hour < 24 and minute < 60 and offset_hour < 24 and offset_minute < 60
    return in_range and (second < 60 or (second == 60 and minute == 59))


def _is_duration(text: str) -> bool:
    return _DURATION.fullmatch(text) is not None


def _is_hostname(text: str) -> bool:
    labels = text.split(".")
    return len(text) <= 253 and all(_LABEL.fullmatch(label) for label in labels)


def _is_uri(text: str) -> bool:
    return _SCHEME.match(text) is not None and _is_uri_reference(text)


def _is_uri_reference(text: str) -> bool:
    """RFC 3986's characters, and an authority that can be taken apart."""
    if _URI_CHARACTERS.fullmatch(text) is None or text.count("#") > 1:
        return False
    urlsplit(text).port  # noqa: B018 - raises ValueError where the port or an address is none
    return True


def _is_json_pointer(text: str) -> bool:
    return _POINTER.fullmatch(text) is not None
