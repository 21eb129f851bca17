"""What labelling one round came to: its pairs, the judge against people, what was bought."""

from collections.abc import Iterable, Sequence
from itertools import chain

from consumers.calibration.splits import Split, SplitShares, split_of
from examples.harbor.demo.gather import decides
from examples.harbor.full.cost import Labelling
from schemas.events import Calibration, CandidateSet, Judgment, Label
from schemas.records import GateResult, LabelRole, Origin, PreferenceSource, Record, Verdict
from trainer.anchor_wins import AnchorWins
from trainer.dataset import FrozenDataset
from trainer.evaluate import Share


class Trial(Record):
    """Something that asked to be trained on, what the gate said, why, and its numbers."""

    title: str
    verdict: Verdict
    why: str
    gates: tuple[GateResult, ...] = ()


class LabelledRound(Record):
    """``calibrations`` are of the judge on this round's anchors, ``margins`` of its rlaif pairs.

    ``wins`` are of the policy whose answers were labelled; None in round 1, where that is the one
    in production itself. ``measured`` are prompts that are never trained on.
    """

    round: int
    counts: dict[str, int]
    margins: tuple[float, ...]
    chosen_wrong: Share
    thumbs_wrong: Share | None = None
    calibrations: tuple[Calibration, ...]
    wins: AnchorWins | None = None
    bought: Labelling
    trials: tuple[Trial, ...] = ()
    measured: tuple[str, ...]
    seconds: float

    @property
    def calibration(self) -> Calibration | None:
        """The one over all anchors of the round."""
        return next((one for one in self.calibrations if decides(one)), None)


def margins(dataset: FrozenDataset) -> tuple[float, ...]:
    """How sure the judge was of each pair that it decided, as |m| in log-odds."""
    return tuple(
        abs(row.margin)
        for row in dataset.rows
        if row.source is PreferenceSource.RLAIF and row.margin is not None
    )


def bought(
    machine_pairs: int,
    sets: Iterable[CandidateSet],
    judgments: Iterable[Judgment],
    labels: Sequence[Label],
    shares: SplitShares,
) -> Labelling:
    """What these samples, verdicts and labels took.

    Verdicts on anchors count too, and so do answers that went to no pair. The production answer of
    a set would have been written anyway.
    """
    sampled = [
        (one.input_tokens, one.output_tokens)
        for candidates in sets
        for one in candidates.candidates
        if one.origin is Origin.SAMPLE
    ]
    judged = [
        (one.input_tokens, one.output_tokens)
        for one in chain.from_iterable(judgment.opinions for judgment in judgments)
    ]
    tokens = sampled + judged
    of_core = sum(split_of(label.prompt_id, shares) is Split.CORE for label in labels)
    return Labelling(
        machine_pairs=machine_pairs,
        anchor_labels=len(labels) - of_core,
        core_labels=of_core,
        input_tokens=sum(read or 0 for read, _ in tokens),
        output_tokens=sum(written or 0 for _, written in tokens),
        labels_per_pair=labels_per_pair(labels),
    )


def labels_per_pair(labels: Sequence[Label]) -> float:
    """Two, and how often a third person had to decide."""
    firsts = sum(label.role is LabelRole.LABEL for label in labels)
    return 2.0 * len(labels) / firsts if firsts else 2.0


def both(first: Labelling, *others: Labelling) -> Labelling:
    """Everything together."""
    every = (first, *others)
    return Labelling(
        machine_pairs=sum(one.machine_pairs for one in every),
        anchor_labels=sum(one.anchor_labels for one in every),
        core_labels=sum(one.core_labels for one in every),
        input_tokens=sum(one.input_tokens for one in every),
        output_tokens=sum(one.output_tokens for one in every),
        labels_per_pair=first.labels_per_pair,
    )
