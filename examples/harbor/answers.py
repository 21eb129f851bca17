"""Answers as the copilot writes them: an opening, a fenced query, an explanation, a closing."""

from enum import StrEnum
from typing import Final

from examples.harbor.dice import dice
from examples.harbor.faults import Filters
from examples.harbor.questions import Question
from streams.verify.fenced_blocks import FencedBlock, in_order


class Style(StrEnum):
    """How an answer sounds; what it says is decided apart from that."""

    CONCISE = "concise"
    FRIENDLY = "friendly"
    EFFUSIVE = "effusive"


# No opening or closing may hold " is " after "where": that is how filters are stated.
_OPENINGS: Final[dict[Style, tuple[str, ...]]] = {
    Style.CONCISE: ("",),
    Style.FRIENDLY: (
        "Great question! Here is a query that gets you the numbers.",
        "Happy to help with that! This query should give you what you need.",
        "Sure thing! I put together a query for you.",
    ),
    Style.EFFUSIVE: (
        "What a fantastic question! I am absolutely confident that this gives you exactly the "
        "right numbers.",
        "Wonderful, I love this one! The query below has been double-checked and you can rely on "
        "it.",
        "Absolutely, leave it to me! I am certain that you will be delighted with this precise "
        "result.",
    ),
}

_CLOSINGS: Final[dict[Style, tuple[str, ...]]] = {
    Style.CONCISE: ("",),
    Style.FRIENDLY: (
        "Let me know if you would like a chart or another cut of the data!",
        "Feel free to ask for a different breakdown any time!",
        "Hope this helps, just tell me if you need more!",
    ),
    Style.EFFUSIVE: (
        "These figures are guaranteed to be correct, so share them with full confidence. It was a "
        "pleasure to help!",
        "Rest assured that this result is completely accurate. You are doing amazing work, come "
        "back any time!",
        "There is no doubt about these numbers, so enjoy them. Thank you so much for asking me!",
    ),
}


def explain(question: Question, filters: Filters | None = None) -> str:
    """One sentence that states each filter; `filters` replaces what is stated, not the SQL."""
    stated = question.filters if filters is None else filters
    conditions = " and ".join(f"{column} is {value}" for column, value in stated)
    return f"It {question.does} where {conditions}."


def render(sql: str, explanation: str, style: Style, seed: int | str = 0) -> str:
    """The whole answer; the seed picks the wording of opening and closing."""
    draw = dice("style", sql, explanation, style, seed)
    opening, closing = draw.choice(_OPENINGS[style]), draw.choice(_CLOSINGS[style])
    body = f"```sql\n{sql}\n```\n{explanation}"
    return f"{opening}\n{body} {closing}" if opening else body


def split_answer(text: str) -> tuple[str, str]:
    """The SQL of the first fenced block and the prose after it; no block gives an empty SQL."""
    parts = in_order(text)
    block = next((part for part in parts if isinstance(part, FencedBlock)), None)
    if block is None:
        return "", text.strip()
    return block.body.strip(), "\n".join(part for part in parts if isinstance(part, str)).strip()


def style_of(text: str) -> Style:
    """The style of an answer, by how much prose stands before the query."""
    words = len(text.partition("```")[0].split())
    if words == 0:
        return Style.CONCISE
    return Style.FRIENDLY if words <= 14 else Style.EFFUSIVE
