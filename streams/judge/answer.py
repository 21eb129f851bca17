"""Reading a judge's answer: its citations, and the verdict with raw token probabilities. Pure.

The verdict is the token after the last ``Verdict:`` that begins a line. Its probabilities are those
of the server's own distribution at that token (no mask), summed over the spellings of A, B and tie.
"""

import math
import re
from collections.abc import Mapping, Sequence
from typing import Final, Literal

from schemas.records import Citation, Order, Record, Winner
from streams.inference.chat import ChatAnswer, TokenLogprob

Slot = Literal["first", "second", "tie"]

# At the start of a line: inside one it may be a candidate's, quoted.
_VERDICT: Final = re.compile(
    r"^[ \t#*_-]*(?:(?:my|the|final|overall)\s+)*verdict[ \t*_]*:", re.IGNORECASE | re.MULTILINE
)
_MARKUP: Final = " \t\r\n*_`\"'()[]"
_VERDICT_TEXT: Final = re.compile(r"[\s*_`\"'(\[]*(?:a\s+(?=tie\b))?(A|B|tie)\b", re.IGNORECASE)
_ITEM: Final = re.compile(
    r"(?P<quote>.*?)[\s:=>–—-]*\b(?P<found>not\s+met|unmet|met)\b[\s.]*$",
    re.IGNORECASE | re.DOTALL,
)


class SlotProbabilities(Record):
    """Raw probabilities of the three verdicts, by the place in which candidates were shown."""

    first: float
    second: float
    tie: float

    @property
    def captured_mass(self) -> float:
        """How much of the distribution the three legal verdicts hold."""
        return self.first + self.second + self.tie

    def largest(self) -> Slot:
        """The likeliest verdict; an exact draw is a tie."""
        if self.first == self.second and self.first >= self.tie:
            return "tie"
        by_slot: dict[Slot, float] = {"tie": self.tie, "first": self.first, "second": self.second}
        return max(by_slot, key=lambda slot: by_slot[slot])


class Reading(Record):
    """What one answer says: INVALID where no verdict can be read from it."""

    answer: Winner
    probabilities: SlotProbabilities | None = None
    citations: tuple[Citation, ...] = ()


def read_answer(
    answer: ChatAnswer,
    order: Order,
    criteria: Sequence[str],
    *,
    min_captured_mass: float,
    bare: bool = False,
) -> Reading:
    """The verdict in terms of the comparison's A and B, and what was cited before it.

    ``criteria`` are the ids that may be cited. ``bare``: an answer that is nothing but A, B or tie
    is a verdict too, without ``Verdict:`` before it. INVALID: no verdict, one in an earlier line of
    an answer that was cut at its length (a candidate's, quoted), or less probability on legal
    verdicts than ``min_captured_mass``; that is a format failure, not an even chance.
    """
    citations = read_citations(answer.text, order, criteria)
    if _cut_after_verdict(answer, bare):
        return Reading(answer=Winner.INVALID, citations=citations)
    probabilities = verdict_probabilities(answer.tokens, bare=bare)
    if probabilities is not None:
        if probabilities.captured_mass < min_captured_mass:
            winner = Winner.INVALID
        else:
            winner = winner_of(probabilities.largest(), order)
        return Reading(answer=winner, probabilities=probabilities, citations=citations)
    slot = verdict_slot(answer.text, bare=bare)
    winner = Winner.INVALID if slot is None else winner_of(slot, order)
    return Reading(answer=winner, citations=citations)


def winner_of(slot: Slot, order: Order) -> Winner:
    """A place in the prompt as one of the comparison's candidates."""
    if slot == "tie":
        return Winner.TIE
    return Winner.A if (slot == "first") == (order is Order.AB) else Winner.B


def verdict_slot(text: str, *, bare: bool = False) -> Slot | None:
    """The verdict after the last ``Verdict:`` of the text; None where there is none."""
    start = _verdict_start(text, bare)
    found = None if start is None else _VERDICT_TEXT.match(text, start)
    return slot_of(found.group(1)) if found else None


def verdict_probabilities(
    tokens: Sequence[TokenLogprob], *, bare: bool = False
) -> SlotProbabilities | None:
    """Probabilities at the token after the last ``Verdict:``.

    None where the answer has no tokens or no verdict, or the server gave no alternatives.
    """
    ends: list[int] = []
    text = ""
    for token in tokens:
        text += token.token
        ends.append(len(text))
    start = _verdict_start(text, bare)
    if start is None:
        return None
    for token, end in zip(tokens, ends, strict=True):
        # A token that only closes "Verdict:" or only sets the verdict in bold is not the verdict.
        if end > start and text[max(start, end - len(token.token)) : end].strip(_MARKUP):
            # "a tie": the distribution at the article is not the verdict's
            article = slot_of(token.token) != verdict_slot(text, bare=bare) == "tie"
            return _sum_by_slot(token.top) if token.top and not article else None
    return None


def _cut_after_verdict(answer: ChatAnswer, bare: bool) -> bool:
    start = _verdict_start(answer.text, bare)
    if start is None or answer.finish_reason != "length":
        return False
    return "\n" in answer.text[start:].strip()


def _verdict_start(text: str, bare: bool) -> int | None:
    marks = list(_VERDICT.finditer(text))
    if marks:
        return marks[-1].end()
    # "A better answer" begins with an A too: alone means nothing but the verdict
    return 0 if bare and text.strip(f"{_MARKUP}.").lower() in ("a", "b", "tie") else None


def slot_of(token: str) -> Slot | None:
    """The verdict that a token spells or, for "tie", begins to spell."""
    word = token.strip(_MARKUP).lower()
    if word == "a":
        return "first"
    if word == "b":
        return "second"
    return "tie" if word and "tie".startswith(word) else None


def read_citations(text: str, order: Order, criteria: Sequence[str]) -> tuple[Citation, ...]:
    """Every ``A R4: quote met; quote unmet`` before the verdict, for the comparison's A and B.

    A piece without met or unmet is kept with ``met`` None.
    """
    if not criteria:
        return ()
    marks = list(_VERDICT.finditer(text))
    body = text[: marks[-1].start()] if marks else text
    names = "|".join(re.escape(name) for name in criteria)
    heads = list(re.finditer(rf"(?<!\w)([AB])\s+({names})\s*:", body))
    found: list[Citation] = []
    for place, head in enumerate(heads):
        end = heads[place + 1].start() if place + 1 < len(heads) else len(body)
        slot: Slot = "first" if head.group(1) == "A" else "second"
        candidate = winner_of(slot, order).value
        for piece in body[head.end() : end].split(";"):
            if piece.strip():
                found.append(_citation(candidate, head.group(2), piece))
    return tuple(found)


def _citation(candidate: str, criterion: str, piece: str) -> Citation:
    item = _ITEM.match(piece)
    if item is None:
        return Citation(candidate=candidate, criterion=criterion, quote=_quote(piece))
    return Citation(
        candidate=candidate,
        criterion=criterion,
        met=item.group("found").lower() == "met",
        quote=_quote(item.group("quote")),
    )


def _quote(text: str) -> str:
    return " ".join(text.split()).strip("\"'“”")


def _sum_by_slot(top: Mapping[str, float]) -> SlotProbabilities:
    sums: dict[Slot, float] = {"first": 0.0, "second": 0.0, "tie": 0.0}
    for token, logprob in top.items():
        slot = slot_of(token)
        if slot is not None:
            sums[slot] += math.exp(logprob)
    return SlotProbabilities(first=sums["first"], second=sums["second"], tie=sums["tie"])
