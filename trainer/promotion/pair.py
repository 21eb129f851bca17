"""Two policies' answers to a prompt, side by side, and what the judge said of them. Pure."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from trainer.evaluate import Answered


@dataclass(frozen=True, kw_only=True)
class Pair:
    """One prompt, answered by both.

    Where one could not be asked, it has not passed, as if it had said nothing.
    """

    candidate: Answered
    reference: Answered

    @property
    def whole(self) -> bool:
        """Whether both have an answer."""
        return not (self.candidate.unanswered or self.reference.unanswered)

    @property
    def compares(self) -> bool:
        """Whether one of them has."""
        return not (self.candidate.unanswered and self.reference.unanswered)


@dataclass(frozen=True, kw_only=True)
class Duel:
    """What the judge said of the two answers to one prompt: 1 the candidate won, 0 it lost, one
    half a tie, a conflict between the orders, or equal texts. None where there was nothing to
    judge, or the judge could not."""

    slice: str
    score: float | None


def pairs(candidate: Sequence[Answered], reference: Sequence[Answered]) -> list[Pair]:
    """The answers to each prompt side by side; raises ``ValueError`` where prompts differ."""
    if [one.prompt_id for one in candidate] != [one.prompt_id for one in reference]:
        raise ValueError("both policies must answer the same prompts in the same order")
    return [
        Pair(candidate=one, reference=other)
        for one, other in zip(candidate, reference, strict=True)
    ]


def comparable(answered: Iterable[Pair]) -> list[Pair]:
    """Those that one policy at least has answered: the others tell nothing of either."""
    return [pair for pair in answered if pair.compares]


def unanswered(answered: Sequence[Pair]) -> str:
    """How many prompts the two could not be asked, and why the first of them; nothing for none."""
    ours = [why for pair in answered if (why := pair.candidate.unanswered)]
    theirs = [why for pair in answered if (why := pair.reference.unanswered)]
    if not ours and not theirs:
        return ""
    return (
        f"of {len(answered)} prompts {len(ours)} could not be answered by the candidate, "
        f"{len(theirs)} by the reference, {len(answered) - len(comparable(answered))} by neither, "
        f"left out; the first: {(ours or theirs)[0]}"
    )
