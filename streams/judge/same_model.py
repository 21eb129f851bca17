"""Whether a judge is asked about its own answers. Pure."""

from collections.abc import Iterable

from schemas.events import Comparison
from schemas.records import Candidate, Opinion
from streams.judge.member import Member


def judges_itself(event: Comparison, members: Iterable[Member]) -> bool:
    """Whether a member's model or checkpoint wrote one of the two answers."""
    sides = (event.a.candidate, event.b.candidate)
    return any(_same(side, one.model, one.identity) for one in members for side in sides)


def judged_itself(event: Comparison, opinions: Iterable[Opinion]) -> bool:
    """The same by what answered: an endpoint may serve under one name and sign with another."""
    sides = (event.a.candidate, event.b.candidate)
    return any(_same(side, one.judge, one.fingerprint) for one in opinions for side in sides)


def _same(side: Candidate, model: str, checkpoint: str | None) -> bool:
    # Folders of two models are often called alike; their checkpoints, where known, tell them apart.
    if side.checkpoint is not None and checkpoint is not None and checkpoint != model:
        return side.checkpoint == checkpoint
    return bool(side.model) and side.model == model
