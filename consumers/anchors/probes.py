"""Probes: anchors that are sent through live traffic again, to see whether the judge still agrees.

A probe is a comparison of its own (so no stored verdict answers it), with the anchor's texts; the
judge cannot tell it from traffic. What came of them is for ``consumers.calibration.drift``.
"""

from collections.abc import Iterable, Iterator
from datetime import datetime

from consumers.calibration.adjudicate import adjudicate_all
from consumers.calibration.matching import by_prompt, human_verdict
from consumers.calibration.splits import Split, SplitShares, split_of
from schemas.events import Comparison, Label
from schemas.ids import config_hash, derived_id, unit_interval
from schemas.records import HumanWinner, Purpose, VerifierWinner

STAGE = "probe"


def probes(
    anchors: Iterable[Comparison],
    labels: Iterable[Label],
    n: int,
    at: datetime,
    shares: SplitShares,
) -> list[Comparison]:
    """``n`` anchors of the calibration split as probes of the moment ``at``, drawn anew each time.

    Only those with a winner to people, and that no verifier decides; fewer where there are fewer.
    The holdout is never probed: it is read once.
    """
    drawn = f"{at.isoformat()}"
    able = {one.event_id: one for one in _able(anchors, labels, shares)}
    chosen = sorted(able, key=lambda id_: unit_interval("probes", drawn, id_))[:n]
    return [_probe(able[id_], at) for id_ in chosen]


def _able(
    anchors: Iterable[Comparison], labels: Iterable[Label], shares: SplitShares
) -> Iterator[Comparison]:
    adjudications = by_prompt(adjudicate_all(labels).values())
    for one in anchors:
        if one.purpose is not Purpose.ANCHOR or one.verifier_winner is not VerifierWinner.NONE:
            continue
        if split_of(one.prompt_id, shares) is not Split.CALIBRATION:
            continue
        verdict = human_verdict(one, adjudications)
        if verdict is not None and verdict.winner in (HumanWinner.A, HumanWinner.B):
            yield one


def _probe(anchor: Comparison, at: datetime) -> Comparison:
    hash_ = config_hash(STAGE)
    return anchor.model_copy(
        update={
            "event_id": derived_id("Comparison", STAGE, [anchor.event_id, at.isoformat()], hash_),
            "occurred_at": at,
            "config_hash": hash_,
            "source_ids": (anchor.event_id,),
            "purpose": Purpose.PROBE,
        }
    )
