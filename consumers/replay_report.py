"""Old and new verdicts on the same comparisons, side by side: what flipped, at what cost. Pure."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from consumers.calibration.accuracy import Accuracy, accuracy
from consumers.calibration.adjudicate import adjudicate_all
from consumers.calibration.agreement import cohen_kappa, confusion
from consumers.calibration.anchors import Anchor, coverage, scored
from consumers.calibration.calibrate import matched
from consumers.calibration.matching import by_prompt
from consumers.calibration.splits import Split, SplitShares, split_of
from schemas.events import Judgment, Label
from schemas.records import Record, Winner
from streams.inference.known_sum import known_sum

_DECIDED = (Winner.A, Winner.B)


@dataclass(frozen=True, kw_only=True)
class Replayed:
    """One comparison with its old and its new judgment."""

    old: Judgment
    new: Judgment


class Flip(Record):
    """A comparison whose verdict is another now."""

    comparison_id: str
    slice: str
    old: Winner
    new: Winner
    old_margin: float | None
    new_margin: float | None


class SliceFlips(Record):
    """``reversed``: the other candidate wins. ``lost``: a winner became none. ``gained``: the
    reverse. ``other``: one kind of no winner became another."""

    slice: str
    n: int
    same: int
    reversed: int
    lost: int
    gained: int
    other: int


class Usage(Record):
    """What the judge's answers took when they were given; None where an answer does not say."""

    calls: int
    input_tokens: int | None
    output_tokens: int | None
    cost_usd: float | None


class Agreement(Record):
    """Against people, on anchors of the calibration split that they did not call a tie."""

    accuracy: Accuracy
    kappa: float | None
    coverage: float | None


class ReplayReport(Record):
    """The old and the new judge on the same comparisons. Without labels both agree with nobody."""

    n: int
    slices: tuple[SliceFlips, ...]
    flips: tuple[Flip, ...]
    old_usage: Usage
    new_usage: Usage
    old_agreement: Agreement
    new_agreement: Agreement


def replay_report(
    replayed: Sequence[Replayed], labels: Iterable[Label], shares: SplitShares
) -> ReplayReport:
    """The figures; the holdout's anchors are replayed like any, but not held against people."""
    flips = tuple(flip for one in replayed if (flip := _flip(one)) is not None)
    adjudications = by_prompt(adjudicate_all(labels).values())

    def agreement(judgments: Iterable[Judgment]) -> Agreement:
        anchors = [
            found.anchor
            for judgment in judgments
            if split_of(judgment.prompt_id, shares) is Split.CALIBRATION
            and (found := matched(judgment, adjudications)) is not None
        ]
        return _agreement(anchors)

    return ReplayReport(
        n=len(replayed),
        slices=tuple(_slices(replayed, flips)),
        flips=flips,
        old_usage=_usage(one.old for one in replayed),
        new_usage=_usage(one.new for one in replayed),
        old_agreement=agreement(one.old for one in replayed),
        new_agreement=agreement(one.new for one in replayed),
    )


def _flip(one: Replayed) -> Flip | None:
    old, new = one.old.winner, one.new.winner
    if old is new:
        return None
    return Flip(
        comparison_id=one.old.comparison.event_id,
        slice=one.old.comparison.slice,
        old=old,
        new=new,
        old_margin=one.old.margin,
        new_margin=one.new.margin,
    )


def _slices(replayed: Sequence[Replayed], flips: Sequence[Flip]) -> Iterable[SliceFlips]:
    sizes = Counter(one.old.comparison.slice for one in replayed)
    for name, n in sorted(sizes.items()):
        kinds = Counter(_kind(flip) for flip in flips if flip.slice == name)
        yield SliceFlips(
            slice=name,
            n=n,
            same=n - kinds.total(),
            reversed=kinds["reversed"],
            lost=kinds["lost"],
            gained=kinds["gained"],
            other=kinds["other"],
        )


def _kind(flip: Flip) -> str:
    match flip.old in _DECIDED, flip.new in _DECIDED:
        case True, True:
            return "reversed"
        case True, False:
            return "lost"
        case False, True:
            return "gained"
    return "other"


def _usage(judgments: Iterable[Judgment]) -> Usage:
    opinions = [opinion for judgment in judgments for opinion in judgment.opinions]
    return Usage(
        calls=len(opinions),
        input_tokens=known_sum(opinion.input_tokens for opinion in opinions),
        output_tokens=known_sum(opinion.output_tokens for opinion in opinions),
        cost_usd=known_sum(opinion.cost_usd for opinion in opinions),
    )


def _agreement(anchors: Sequence[Anchor]) -> Agreement:
    return Agreement(
        accuracy=accuracy([anchor.judge.value == anchor.human.value for anchor in anchors]),
        kappa=cohen_kappa(confusion(scored(anchors))).value,
        coverage=coverage(anchors),
    )
