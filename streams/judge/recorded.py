"""Verdicts that were given before, as a judge: published runs, or those of another system.

One JSON object a line; null where a verdict could not be parsed:

    {"prompt": "How many?", "a": "12", "b": "There were 12.", "given": "A", "swapped": "tie"}

``given`` is the verdict where ``a`` stood first, ``swapped`` where ``b`` did; both name the answer
that is preferred, not its place. There are no probabilities, and so no margin.
"""

import hashlib
from collections.abc import Iterable
from pathlib import Path
from typing import Literal

from infra.jsonl import load_jsonl
from schemas.errors import ConfigError, Poison
from schemas.events import Comparison
from schemas.records import Order, Record
from streams.inference.chat import ChatAnswer

RECORDED = "recorded:"
"""Marks a reference to a file of verdicts, as in ``recorded:verdicts.jsonl``."""

Preferred = Literal["A", "B", "tie"] | None
_OTHER = {"A": "B", "B": "A"}


class RecordedVerdict(Record):
    """Both verdicts on one comparison."""

    prompt: str
    a: str
    b: str
    given: Preferred
    swapped: Preferred


class RecordedVerdicts:
    """Answers as the recorded judge did, whichever side the pair stage put the candidates on."""

    def __init__(self, verdicts: Iterable[RecordedVerdict]) -> None:
        """Raises ``ConfigError`` where a comparison was recorded twice with other verdicts."""
        self._verdicts: dict[tuple[str, str, str], RecordedVerdict] = {}
        digest = hashlib.sha256()
        for number, verdict in enumerate(verdicts, 1):
            digest.update(verdict.model_dump_json().encode("utf-8", "surrogatepass"))
            first = self._verdicts.setdefault((verdict.prompt, verdict.a, verdict.b), verdict)
            if first != verdict:
                raise ConfigError(f"recorded verdict {number} contradicts an earlier one; keep one")
        self.model = f"{RECORDED}{digest.hexdigest()[:16]}"

    def answer(self, event: Comparison, order: Order) -> ChatAnswer:
        """What was answered in this order; raises ``Poison`` where nothing was recorded."""
        prompt = event.messages[-1].content
        a, b = event.a.candidate.output, event.b.candidate.output
        if found := self._verdicts.get((prompt, a, b)):
            preferred = found.given if order is Order.AB else found.swapped
        elif found := self._verdicts.get((prompt, b, a)):
            # recorded with the sides exchanged: its first order is this one's second
            preferred = found.swapped if order is Order.AB else found.given
            preferred = _exchanged(preferred)
        else:
            raise Poison(
                f"no verdict is recorded for comparison {event.event_id} (prompt {prompt[:60]!r}); "
                "add it to the file of recorded verdicts, or name a model"
            )
        return ChatAnswer(text=_text(preferred, order), model=self.model)

    async def aclose(self) -> None:
        """Nothing is held."""


def read_recorded(path: Path) -> RecordedVerdicts:
    """The verdicts of a file; raises ``ConfigError`` with file, line and what is wrong there."""
    return RecordedVerdicts(load_jsonl(path, RecordedVerdict))


def _exchanged(preferred: Preferred) -> Preferred:
    return _OTHER.get(preferred or "", preferred)  # type: ignore[return-value]


def _text(preferred: Preferred, order: Order) -> str:
    """The answer as a judge writes it: by the place in which the candidate was shown."""
    if preferred is None:
        return ""
    return f"Verdict: {preferred if order is Order.AB else _exchanged(preferred)}"
