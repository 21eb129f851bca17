"""Candidates are data: take out of them what a chat model would read as structure."""

import re
from collections.abc import Sequence
from typing import Final

# Special tokens of the common chat templates: <|im_start|>, [INST], <<SYS>>, <start_of_turn>, </s>.
_TEMPLATE_TOKENS: Final = re.compile(
    r"<\|[^<>|\n]{0,60}\|>"
    r"|<｜[^<>｜\n]{0,60}｜>"
    r"|\[/?(?:INST|AVAILABLE_TOOLS|TOOL_CALLS|TOOL_RESULTS|SYSTEM_PROMPT)\]"
    r"|<</?SYS>>"
    r"|</?(?:start_of_turn|end_of_turn|s|bos|eos|pad|unk|think|tool_call|tool_response)>",
    re.IGNORECASE,
)

# "assistant:" or "### System" at the start of a line opens a new turn in plain-text templates.
_ROLES: Final = "(?:system|developer|user|human|assistant)"
_ROLE_HEADERS: Final = re.compile(
    rf"^[^\S\n]*(?:#{{1,6}}[ \t]*(?:{_ROLES}|instruction|response)\b[ \t]*:?"
    rf"|[*_]{{0,3}}{_ROLES}[*_]{{0,3}}[ \t]*[:：][*_]{{0,3}})[ \t]*",
    re.IGNORECASE | re.MULTILINE,
)

# What a reader does not see: control characters, direction marks and overrides, zero-width and tag
# characters. They hide a token from the patterns above, or turn what people see around.
_INVISIBLE: Final = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u00ad\u061c\u180e\u200b\u200e\u200f\u202a-\u202e"
    "\u2060-\u2069\ufeff\U000e0000-\U000e007f]"
)

# Whatever ends a line, so that a header behind it stands at the start of one.
_LINE_ENDS: Final = re.compile("\r\n?|[\u2028\u2029]")

_ROLE: Final = re.compile(r"[\w.-]{1,32}")


def neutralise(text: str, nonce: str) -> str:
    """The text without invisible characters, template tokens, role headers and this call's nonce.

    Repeated until nothing changes, as taking one token out can join the halves of another.
    """
    text = _INVISIBLE.sub("", _LINE_ENDS.sub("\n", text))
    while True:
        cleaned = _ROLE_HEADERS.sub("", _TEMPLATE_TOKENS.sub("", text)).replace(nonce, "")
        if cleaned == text:
            return cleaned
        text = cleaned


def role_name(role: str) -> str:
    """The role of a turn, "other" where it is more than a word: its sender may write anything."""
    return role if _ROLE.fullmatch(role) else "other"


def shorten(text: str, max_characters: int) -> str:
    """The text, its middle replaced by a note of what was left out where it is too long."""
    left_out = len(text) - max_characters
    if left_out <= 0:
        return text
    head = max_characters // 2
    tail = len(text) - (max_characters - head)
    return f"{text[:head]}\n[… {left_out} characters left out …]\n{text[tail:]}"


def fitting(lengths: Sequence[int], total: int) -> list[int]:
    """How much of each text fits in ``total`` together: short ones whole, long ones cut alike."""
    left, texts = total, len(lengths)
    for length in sorted(lengths):
        fair = left // texts
        if length > fair:
            return [min(each, fair) for each in lengths]
        left, texts = left - length, texts - 1
    return list(lengths)
