"""Keeping secrets out of anything that is written down, and finding them in what was."""

import math
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

HIDDEN = "***"

_ASSIGNED = re.compile(
    # Tried from the start of a word only: a long run of words and hyphens is read once.
    r"(?i)((?<![\w-])[\w-]*(?:api[_-]?key|password|passwd|secret|access[_-]?token))"
    r"(['\"]?\s{0,8}[=:]\s{0,8}['\"]?)([^\s'\",;}&]+)"
)
_IN_ADDRESS = re.compile(r"(://[^/\s:@]*:)([^/\s@]+)(@)")
_AUTHORIZATION = re.compile(r"(?i)\b(bearer|basic)(\s{1,8})([A-Za-z0-9._~+/=-]{8,})")

# The prefixes that issuers gave their keys so that scanners can find them.
_KEYS: tuple[tuple[str, re.Pattern[str]], ...] = (
    ("API key", re.compile(r"\bsk-[A-Za-z0-9_-]{8,}")),
    ("AWS access key id", re.compile(r"\b(?:AKIA|ASIA)[0-9A-Z]{16}\b")),
    ("GitHub token", re.compile(r"\b(?:gh[pousr]_[A-Za-z0-9]{36,}|github_pat_[A-Za-z0-9_]{22,})")),
    ("GitLab token", re.compile(r"\bglpat-[A-Za-z0-9_-]{20,}")),
    ("Google API key", re.compile(r"\bAIza[A-Za-z0-9_-]{35}")),
    ("Hugging Face token", re.compile(r"\bhf_[A-Za-z0-9]{30,}")),
    ("npm token", re.compile(r"\bnpm_[A-Za-z0-9]{36}")),
    ("Slack token", re.compile(r"\bxox[abeoprs]-[A-Za-z0-9-]{10,}")),
    ("Stripe key", re.compile(r"\b[rs]k_(?:live|test)_[A-Za-z0-9]{16,}")),
    ("JSON Web Token", re.compile(r"\beyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}")),
    ("private key", re.compile(r"-----BEGIN [A-Z ]{0,30}PRIVATE KEY-----")),
)

# What stands for a secret in an example.
_PLACEHOLDER = re.compile(r"[*x.]+|[$<{\[].*|(?:your|my|the)[\w-]*", re.IGNORECASE)

# 32 random characters of base 64 have about 4.6 bits each, two digits or more, and the kind of
# character changes at 6 of 10 places. Words, numbers, hex digests and names in camel case fall
# short of one of these; of 2,000 random words of 32 characters 97 % are found.
_RANDOM = re.compile(r"(?<![A-Za-z0-9+/_-])[A-Za-z0-9+_-]{32,200}={0,2}(?![A-Za-z0-9+/_-])")
_RANDOM_BITS = 4.2
_RANDOM_CHANGES = 0.42
_RANDOM_DIGITS = 2
_CHANGE = re.compile(
    "(?<=[a-z])(?![a-z])|(?<=[A-Z])(?![A-Z])|(?<=[0-9])(?![0-9])|(?<=[+_-])(?![+_-])"
)


@dataclass(frozen=True, kw_only=True)
class FoundSecret:
    """What kind of secret stands at ``start`` up to ``end``."""

    kind: str
    start: int
    end: int


def redact(text: str, secrets: Iterable[str] = ()) -> str:
    """The text without ``secrets`` and without what looks like one: passwords in addresses,
    authorization headers, values of keys called api_key, password, secret or access_token, and
    keys in the formats of well-known issuers."""
    for secret in secrets:
        if secret:
            text = text.replace(secret, HIDDEN)
    text = _IN_ADDRESS.sub(rf"\1{HIDDEN}\3", text)
    text = _AUTHORIZATION.sub(rf"\1\2{HIDDEN}", text)
    text = _ASSIGNED.sub(rf"\1\2{HIDDEN}", text)
    for _, pattern in _KEYS:
        text = pattern.sub(HIDDEN, text)
    return text


def find_secrets(text: str, *, entropy: bool = False) -> tuple[FoundSecret, ...]:
    """Where ``redact`` would hide something, placeholders such as ``<password>`` left out; with
    ``entropy`` also long words that only chance writes. In the order in which they stand.
    """
    found = [*_find_known(text), *(_find_random(text) if entropy else ())]
    found.sort(key=lambda secret: (secret.start, -secret.end))
    kept: list[FoundSecret] = []
    for secret in found:
        if not kept or secret.start >= kept[-1].end:
            kept.append(secret)
    return tuple(kept)


def _find_known(text: str) -> Iterator[FoundSecret]:
    for kind, pattern in _KEYS:
        for match in pattern.finditer(text):
            yield FoundSecret(kind=kind, start=match.start(), end=match.end())
    for kind, pattern, group in (
        ("password in an address", _IN_ADDRESS, 2),
        ("authorization header", _AUTHORIZATION, 3),
        ("assigned secret", _ASSIGNED, 3),
    ):
        for match in pattern.finditer(text):
            if not _PLACEHOLDER.fullmatch(match[group]):
                yield FoundSecret(kind=kind, start=match.start(group), end=match.end(group))


def _find_random(text: str) -> Iterator[FoundSecret]:
    for match in _RANDOM.finditer(text):
        if _is_random(match[0]):
            yield FoundSecret(kind="random text", start=match.start(), end=match.end())


def _is_random(word: str) -> bool:
    """Whether chance wrote it, by its digits, changes of kind and Shannon entropy."""
    digits = sum(character.isdigit() for character in word)
    changes = len(_CHANGE.findall(word)) / len(word)
    shares = [count / len(word) for count in Counter(word).values()]
    bits = -sum(share * math.log2(share) for share in shares)
    return digits >= _RANDOM_DIGITS and changes >= _RANDOM_CHANGES and bits >= _RANDOM_BITS
