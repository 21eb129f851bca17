"""Anchors out of traffic: which judged comparisons people are asked about, and on which sides."""

from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from random import Random
from typing import Literal

from pydantic import Field

from consumers.anchors.strata import Stratum, by_slice, stratum, systematic
from schemas.events import Comparison, Judgment
from schemas.ids import ConfigHash, config_hash, derived_id, unit_interval
from schemas.records import Purpose, Record, VerifiedCandidate, VerifierWinner, Winner

STAGE = "anchors"


class DrawSettings(Record):
    """How anchors are drawn. ``seed`` decides the sample and the sides, and is recorded."""

    n: int = Field(ge=1)
    seed: int = Field(ge=0)
    allocation: Literal["proportional", "slices"] = "proportional"
    """As the traffic is, or as many anchors of each slice: what the slice rule of the gate needs,
    at the price of a kappa over all slices that is no longer the traffic's."""

    @property
    def config_hash(self) -> ConfigHash:
        """Stands on every anchor of the draw."""
        return config_hash(self, STAGE)


@dataclass(frozen=True, kw_only=True)
class Drawable:
    """What a draw has to know of a judgment; the texts stay in the log."""

    judgment_id: str
    prompt_id: str
    stratum: Stratum


def drawable(judgment: Judgment, checkpoint: str | None = None) -> Drawable | None:
    """The judgment as something to draw; None for what does not measure the judge of traffic.

    Only production counts, only what the judge itself decided or abstained on, and, where given,
    only pairs with an answer of the policy ``checkpoint`` (its fingerprint, or the model's name).
    """
    comparison = judgment.comparison
    sides = (comparison.a.candidate, comparison.b.candidate)
    if checkpoint is not None and checkpoint not in {s.checkpoint or s.model for s in sides}:
        return None
    if comparison.purpose is not Purpose.PRODUCTION:
        return None
    if comparison.verifier_winner is not VerifierWinner.NONE:
        return None
    return Drawable(
        judgment_id=judgment.event_id, prompt_id=judgment.prompt_id, stratum=stratum(judgment)
    )


def draw(
    found: Iterable[Drawable], settings: DrawSettings, taken: Collection[str]
) -> list[Drawable]:
    """The sample: one judgment a prompt, of prompts that are not ``taken``, stratified.

    The same judgments in any order give the same sample. Fewer than ``n`` where there are fewer.
    """
    seed = str(settings.seed)
    one_each: dict[str, Drawable] = {}
    for one in found:
        if one.prompt_id in taken:
            continue
        rival = one_each.setdefault(one.prompt_id, one)
        one_each[one.prompt_id] = min(one, rival, key=lambda each: (_place(each, seed), str(each)))
    choose = systematic if settings.allocation == "proportional" else by_slice
    return choose(
        list(one_each.values()),
        settings.n,
        lambda one: (one.stratum, f"{_place(one, seed):.17f} {one.judgment_id}"),
        Random(settings.seed),
    )


def anchors(judgments: Sequence[Judgment], settings: DrawSettings) -> list[Comparison]:
    """The drawn judgments as comparisons to be judged anew and labelled.

    What the judge preferred (or, where it abstained, the answer of the lower id) stands as A in
    half of them, which half by the seed: people's winners are then about half A and half B, and
    the side tells nothing. A skewed frame turns the same agreement into a far smaller kappa.
    """
    ordered = sorted(judgments, key=lambda one: one.event_id)
    first = [place % 2 == 0 for place in range(len(ordered))]
    Random(f"sides {settings.seed}").shuffle(first)
    return [_anchor(one, is_a, settings) for one, is_a in zip(ordered, first, strict=True)]


def strata_counts(drawn: Iterable[Drawable]) -> dict[str, int]:
    """How many of each stratum."""
    return dict(sorted(Counter(str(one.stratum) for one in drawn).items()))


def _place(one: Drawable, seed: str) -> float:
    return unit_interval("anchors", seed, one.judgment_id)


def _anchor(judgment: Judgment, preferred_is_a: bool, settings: DrawSettings) -> Comparison:
    source = judgment.comparison
    preferred, other = _preferred(judgment)
    a, b = (preferred, other) if preferred_is_a else (other, preferred)
    return source.model_copy(
        update={
            "event_id": derived_id("Comparison", STAGE, [judgment.event_id], settings.config_hash),
            "occurred_at": judgment.occurred_at,
            "config_hash": settings.config_hash,
            "source_ids": (judgment.event_id,),
            "purpose": Purpose.ANCHOR,
            "a": a,
            "b": b,
        }
    )


def _preferred(judgment: Judgment) -> tuple[VerifiedCandidate, VerifiedCandidate]:
    a, b = judgment.comparison.a, judgment.comparison.b
    if judgment.winner in (Winner.A, Winner.B):
        return (a, b) if judgment.winner is Winner.A else (b, a)
    return (a, b) if a.candidate.completion_id <= b.candidate.completion_id else (b, a)
