"""Candidates are data: take out of them what a chat model would read as structure."""

import re
from typing import Final

# Special tokens of the common chat templates: <|im_start|>, [INST], <<SYS>>, <start_of_turn>, </s>.
_TEMPLATE_TOKENS: Final = re.compile(
    r"<\|[^<>|\n]{0,60}\|>"
    r"|<｜[^<>｜\n]{0,60}｜>"
    r"|\[/?(?:INST|AVAILABLE_TOOLS|TOOL_CALLS|TOOL_RESULTS|SYSTEM_PROMPT)\]"
    r"|<</?SYS>>"
    r"|</?(?:start_of_turn|end_of_turn|s|bos|eos|pad|unk)>",
    re.IGNORECASE,
)

# "assistant:" or "### System" at the start of a line opens a new turn in plain-text templates.
_ROLE_HEADERS: Final = re.compile(
    r"^[ \t]*(?:#{1,6}[ \t]*(?:system|user|human|assistant|instruction|response)\b[ \t]*:?"
    r"|(?:system|user|human|assistant)[ \t]*:)[ \t]*",
    re.IGNORECASE | re.MULTILINE,
)


def neutralise(text: str, nonce: str) -> str:
    """The text without template tokens, role headers and the nonce of this call's delimiters.

    Repeated until nothing changes, as taking one token out can join the halves of another.
    """
    while True:
        cleaned = _ROLE_HEADERS.sub("", _TEMPLATE_TOKENS.sub("", text)).replace(nonce, "")
        if cleaned == text:
            return cleaned
        text = cleaned


def shorten(text: str, max_characters: int) -> str:
    """The text, its middle replaced by a note of what was left out where it is too long."""
    left_out = len(text) - max_characters
    if left_out <= 0:
        return text
    head = max_characters // 2
    tail = max_characters - head
    return f"{text[:head]}\n[… {left_out} characters left out …]\n{text[-tail:]}"
