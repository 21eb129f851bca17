"""Keeping secrets out of anything that is written down."""

import re
from collections.abc import Iterable

HIDDEN = "***"

_PATTERNS = (
    # user:password@host in an address
    (re.compile(r"(://[^/\s:@]*:)[^/\s@]+(@)"), rf"\1{HIDDEN}\2"),
    (re.compile(r"(?i)\b(bearer|basic)(\s+)[A-Za-z0-9._~+/=-]{8,}"), rf"\1\2{HIDDEN}"),
    (
        re.compile(
            r"(?i)\b([\w-]*(?:api[_-]?key|password|passwd|secret|access[_-]?token))"
            r"(['\"]?\s*[=:]\s*['\"]?)[^\s'\",;}&]+"
        ),
        rf"\1\2{HIDDEN}",
    ),
    (re.compile(r"\bsk-[A-Za-z0-9_-]{8,}"), HIDDEN),
)


def redact(text: str, secrets: Iterable[str] = ()) -> str:
    """The text without ``secrets`` and without what looks like one: passwords in addresses,
    authorization headers, values of keys called api_key, password, secret or access_token."""
    for secret in secrets:
        if secret:
            text = text.replace(secret, HIDDEN)
    for pattern, replacement in _PATTERNS:
        text = pattern.sub(replacement, text)
    return text
