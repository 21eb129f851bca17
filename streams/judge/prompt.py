"""The judge's prompt: a comparison, a rubric and an order into chat messages. Pure.

The system message depends on the rubric alone, so a server can reuse its prefix. All that came
from outside stands in the user message, between delimiters that carry a nonce of this call.
"""

import hashlib
import hmac
import json
from collections.abc import Iterator

from schemas.events import Comparison
from schemas.ids import text_sha256
from schemas.records import Message, Order, Record, VerifiedCandidate
from streams.judge.call_data import CallData
from streams.judge.defences import ALL_DEFENCES, Defences
from streams.judge.rubric import Rubric
from streams.judge.settings import PairMode
from streams.judge.wording import PROMPT_VERSIONS, asked_text, system_text


class JudgePrompt(Record):
    """What one call shows the judge. ``sha256`` is over the exact messages.

    ``left_out_characters`` were cut out of texts beyond their budget.
    """

    messages: tuple[Message, ...]
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
    mode: PairMode = "cite_then_verdict",
    defences: Defences = ALL_DEFENCES,
) -> JudgePrompt:
    """The prompt that shows the comparison's candidates in ``order``.

    The candidate shown first is called A in the prompt, whichever of the comparison's it is. Each
    has ``max_candidate_characters``, and so have all turns of the prompt together, and all
    retrieved passages.
    """
    nonce = call_nonce(comparison.event_id, order, nonce_key, member)
    data = CallData(nonce, defences, max_candidate_characters)
    shown = (comparison.a, comparison.b)
    if order is Order.BA:
        shown = (comparison.b, comparison.a)

    def candidates() -> Iterator[str]:
        for name, side in zip("AB", shown, strict=True):
            yield data.candidate(name, side.candidate.output)
            if show_checks and side.checks:
                yield data.text(f"checks of {name}", _checks(side))

    blocks = (*data.asked(comparison), *candidates())
    asked = asked_text(rubric, mode, after_data=defences.repeat_instruction)
    messages = (
        Message(role="system", content=system_text(rubric, mode)),
        data.user_message(blocks, asked),
    )
    return prompt_of(messages, PROMPT_VERSIONS[mode], data)


def prompt_of(messages: tuple[Message, ...], version: str, data: CallData) -> JudgePrompt:
    """The messages with their hash."""
    content = json.dumps([[turn.role, turn.content] for turn in messages])
    return JudgePrompt(
        messages=messages,
        version=version,
        sha256=text_sha256(content),
        left_out_characters=data.left_out_characters,
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


def _checks(side: VerifiedCandidate) -> str:
    return "\n".join(
        f"{check.name} {check.version}: {check.status.value} {check.evidence}".strip()
        for check in side.checks
    )
