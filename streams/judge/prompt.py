"""The judge's prompt: a comparison, a rubric and an order into chat messages. Pure.

The system message depends on the rubric alone, so a server can reuse its prefix. All that came
from outside stands in the user message, between delimiters that carry a nonce of this call.
"""

import hashlib
import hmac
import json
from collections.abc import Iterator, Sequence
from typing import Final

from schemas.events import Comparison
from schemas.ids import text_sha256
from schemas.records import Message, Order, Record, VerifiedCandidate
from streams.judge.defences import ALL_DEFENCES, Defences
from streams.judge.neutral import fitting, neutralise, shorten
from streams.judge.rubric import Rubric
from streams.judge.settings import Mode
from streams.judge.wording import PROMPT_VERSIONS, asked_text, system_text
from streams.verify.sql_render import answer_without_sql_comments

# Stands where the nonce is left off for a measurement: a code that anyone can write.
_KNOWN_CODE: Final = "CODE"


class JudgePrompt(Record):
    """What one call shows the judge. ``sha256`` is over the exact messages.

    ``left_out_characters`` were cut out of texts beyond their budget.
    """

    messages: tuple[Message, ...]
    order: Order
    version: str
    sha256: str
    left_out_characters: int


def render_prompt(
    comparison: Comparison,
    rubric: Rubric,
    order: Order,
    *,
    max_candidate_characters: int,
    show_checks: bool = False,
    nonce_key: bytes = b"",
    member: str = "",
    mode: Mode = "cite_then_verdict",
    defences: Defences = ALL_DEFENCES,
) -> JudgePrompt:
    """The prompt that shows the comparison's candidates in ``order``.

    The candidate shown first is called A in the prompt, whichever of the comparison's it is.
    Comments in its SQL are left out: they run nothing, and could only talk to the judge. Each
    candidate has ``max_candidate_characters``, and so have all turns of the prompt together, and
    all retrieved passages.
    """
    nonce = call_nonce(comparison.event_id, order, nonce_key, member)
    code = nonce if defences.nonce else _KNOWN_CODE
    shown = (comparison.a, comparison.b)
    if order is Order.BA:
        shown = (comparison.b, comparison.a)
    left_out = 0

    def clean(texts: Sequence[str]) -> list[str]:
        nonlocal left_out
        budgets = fitting([len(text) for text in texts], max_candidate_characters)
        left_out += sum(map(len, texts)) - sum(budgets)
        cut = [shorten(text, budget) for text, budget in zip(texts, budgets, strict=True)]
        return [neutralise(text, nonce) for text in cut] if defences.neutralise else cut

    def blocks() -> Iterator[str]:
        turns = clean([turn.content for turn in comparison.messages])
        roles = (turn.role for turn in comparison.messages)
        prompt = "\n".join(f"{role}: {turn}" for role, turn in zip(roles, turns, strict=True))
        yield block(code, "prompt", prompt)
        sources = clean([f"{passage.source}\n{passage.text}" for passage in comparison.context])
        yield from (block(code, "source", source) for source in sources)
        for name, side in zip("AB", shown, strict=True):
            output = answer_without_sql_comments(side.candidate.output)
            yield block(code, name, *clean([output]))
            if show_checks and side.checks:
                yield block(code, f"checks of {name}", *clean([_checks(side)]))

    asked = asked_text(rubric, mode, after_data=defences.repeat_instruction)
    data = (f"Code: {code}", *blocks())
    user = (*data, asked) if defences.repeat_instruction else (asked, *data)
    messages = (
        Message(role="system", content=system_text(rubric, mode)),
        Message(role="user", content="\n".join(user)),
    )
    return JudgePrompt(
        messages=messages,
        order=order,
        version=PROMPT_VERSIONS[mode],
        sha256=messages_sha256(messages),
        left_out_characters=left_out,
    )


def call_nonce(comparison_id: str, order: Order, key: bytes = b"", member: str = "") -> str:
    """The code in the delimiters of a comparison's prompt."""
    return nonce_of(key, comparison_id, member, order.value)


def nonce_of(key: bytes, *call: str) -> str:
    """The code of one call: HMAC-SHA-256, so that nobody without the key can write it into a
    candidate, and a redone call has the same.
    """
    content = json.dumps(["judge nonce", *call]).encode()
    return hmac.new(key, content, hashlib.sha256).hexdigest()[:12]


def messages_sha256(messages: tuple[Message, ...]) -> str:
    """Hex SHA-256 of the messages as JSON."""
    return text_sha256(json.dumps([[turn.role, turn.content] for turn in messages]))


def block(code: str, name: str, text: str) -> str:
    """A text between delimiters that carry the code."""
    return f"<{code} {name}>\n{text}\n</{code} {name}>"


def _checks(side: VerifiedCandidate) -> str:
    return "\n".join(
        f"{check.name} {check.version}: {check.status.value} {check.evidence}".strip()
        for check in side.checks
    )
