"""What came from outside, as one call shows it: cut, cleaned, between delimiters. Pure."""

from collections.abc import Sequence
from typing import Final

from schemas.events import PromptEvent
from schemas.records import Message
from streams.judge.defences import Defences
from streams.judge.neutral import fitting, neutralise, role_name, shorten
from streams.verify.sql_render import answer_without_sql_comments

# Stands where the nonce is left off for a measurement: a code that anyone can write.
_KNOWN_CODE: Final = "CODE"


class CallData:
    """The blocks of one call, whose delimiters carry its ``nonce``.

    Each block has ``max_characters``; so have all turns of the prompt together, and all retrieved
    passages. ``left_out_characters`` counts what was cut so far.
    """

    def __init__(self, nonce: str, defences: Defences, max_characters: int) -> None:
        self.left_out_characters = 0
        self._nonce = nonce
        self._code = nonce if defences.nonce else _KNOWN_CODE
        self._defences = defences
        self._max_characters = max_characters

    def asked(self, event: PromptEvent) -> list[str]:
        """The prompt, and each retrieved passage."""
        turns = self._clean([turn.content for turn in event.messages])
        roles = (role_name(turn.role) for turn in event.messages)
        prompt = "\n".join(f"{role}: {turn}" for role, turn in zip(roles, turns, strict=True))
        sources = self._clean([f"{passage.source}\n{passage.text}" for passage in event.context])
        return [
            block(self._code, "prompt", prompt),
            *(block(self._code, "source", source) for source in sources),
        ]

    def candidate(self, name: str, output: str) -> str:
        """An answer. Comments in its SQL are left out: they run nothing, and could only talk."""
        return self.text(name, answer_without_sql_comments(output))

    def text(self, name: str, text: str) -> str:
        """Any text as the block of that name."""
        return block(self._code, name, *self._clean([text]))

    def user_message(self, blocks: Sequence[str], task: str) -> Message:
        """The blocks, and what to write about them."""
        data = (f"Code: {self._code}", *blocks)
        user = (*data, task) if self._defences.repeat_instruction else (task, *data)
        return Message(role="user", content="\n".join(user))

    def _clean(self, texts: Sequence[str]) -> list[str]:
        budgets = fitting([len(text) for text in texts], self._max_characters)
        self.left_out_characters += sum(map(len, texts)) - sum(budgets)
        cut = [shorten(text, budget) for text, budget in zip(texts, budgets, strict=True)]
        return [neutralise(text, self._nonce) for text in cut] if self._defences.neutralise else cut


def block(code: str, name: str, text: str) -> str:
    """A text between delimiters that carry the code."""
    return f"<{code} {name}>\n{text}\n</{code} {name}>"
