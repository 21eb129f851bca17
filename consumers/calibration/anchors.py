"""An anchor: one comparison with the adjudicated human winner and the judge's verdict on it."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product

from consumers.calibration.agreement import Confusion, confusion
from consumers.calibration.reliability import Stated
from schemas.records import ConfusionCell, HumanWinner, Winner

_ABSTENTIONS = (Winner.TIE, Winner.CONFLICT)


@dataclass(frozen=True, kw_only=True)
class Anchor:
    """A human verdict other than a tie, and the judge's after both orders.

    ``position_bias`` is the judgment's b in log-odds towards the first slot, ``margin`` its m
    towards A; lengths are in characters.
    """

    prompt_id: str
    slice: str
    human: HumanWinner
    judge: Winner
    position_bias: float | None = None
    margin: float | None = None
    length_a: int
    length_b: int


def scored(anchors: Sequence[Anchor]) -> list[tuple[str, str]]:
    """(human, judge) of every anchor that the judge decided.

    Its ties and conflicts are abstentions, left out here and counted by ``coverage``. A verdict
    that could not be parsed counts as the opposite of the human one: failing to answer must never
    look better than answering wrongly.
    """
    return [
        (anchor.human.value, _opposite(anchor.human) if _unparsed(anchor) else anchor.judge.value)
        for anchor in anchors
        if anchor.judge not in _ABSTENTIONS
    ]


def scored_prompts(anchors: Sequence[Anchor]) -> list[str]:
    """The prompt of every anchor that ``scored`` gives, in the same order."""
    return [anchor.prompt_id for anchor in anchors if anchor.judge not in _ABSTENTIONS]


def coverage(anchors: Sequence[Anchor]) -> float | None:
    """Share of anchors that the judge did not abstain on."""
    return len(scored(anchors)) / len(anchors) if anchors else None


def parse_failures(anchors: Sequence[Anchor]) -> int:
    """How many verdicts could not be parsed."""
    return sum(_unparsed(anchor) for anchor in anchors)


def stated(anchors: Sequence[Anchor]) -> list[Stated]:
    """The confidence of every verdict that has one; abstentions and failures state none."""
    return [
        Stated(
            key=anchor.prompt_id,
            margin=abs(anchor.margin),
            right=anchor.judge.value == anchor.human.value,
        )
        for anchor in anchors
        if anchor.margin is not None and anchor.judge in (Winner.A, Winner.B)
    ]


def verdict_counts(anchors: Sequence[Anchor]) -> Confusion:
    """Human winner (A, B) against every verdict of the judge as it was given, abstentions too."""
    counts = {
        (cell.human, cell.judge): cell.n
        for cell in confusion((anchor.human.value, anchor.judge.value) for anchor in anchors)
    }
    return tuple(
        ConfusionCell(human=human.value, judge=judge.value, n=counts.get((human, judge), 0))
        for human, judge in product((HumanWinner.A, HumanWinner.B), Winner)
    )


def _unparsed(anchor: Anchor) -> bool:
    return anchor.judge is Winner.INVALID


def _opposite(human: HumanWinner) -> str:
    return (HumanWinner.B if human is HumanWinner.A else HumanWinner.A).value
