"""From judgments of anchors and people's labels to Calibration events: pure, in memory.

A calibration set is hundreds to a few thousand anchors; only those are ever held.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Protocol

from pydantic import Field

from consumers.calibration.adjudicate import adjudicate_all
from consumers.calibration.anchors import (
    Anchor,
    coverage,
    parse_failures,
    scored,
    scored_prompts,
    stated,
    verdict_counts,
)
from consumers.calibration.biases import length_slope, mean_position_bias
from consumers.calibration.clusters import clustered_kappa
from consumers.calibration.kappa_interval import kappa_interval
from consumers.calibration.matching import ByPrompt, by_prompt, human_verdict
from consumers.calibration.reliability import Scaled, reliability, scaled
from consumers.calibration.splits import Split, SplitShares, split_of
from schemas.events import Calibration, Judgment, Label, latest
from schemas.ids import config_hash, derived_id
from schemas.interval import one_sided_z
from schemas.records import HumanWinner, Purpose, Record, Verdict, VerifierWinner

STAGE = "calibrate"
# Change it with any change of a statistic, so that the events' config_hash tells them apart.
STATISTICS_VERSION = "4"

ALL_SLICES = ""
MEASURED = (Split.CALIBRATION, Split.HOLDOUT)
"""Core rows are trained on, so they measure nothing."""


class CalibrationSettings(Record):
    """The ``calibration`` section of pipeline.yaml."""

    shares: SplitShares = SplitShares()
    # Read earlier, the one reading would be spent on a number that could be anything.
    min_holdout: int = Field(default=50, ge=2)
    """How many locked anchors must be labelled before the holdout may be read."""


class Decide(Protocol):
    """The gate's rule for one calibration; ``config_hash`` covers its thresholds."""

    @property
    def config_hash(self) -> str: ...

    def __call__(self, calibration: Calibration) -> Verdict: ...


@dataclass(frozen=True, kw_only=True)
class Matched:
    """A judged anchor together with the judgment and labels that it came from."""

    anchor: Anchor
    judgment: Judgment
    label_ids: tuple[str, ...]
    occurred_at: datetime


def matched(judgment: Judgment, adjudications: ByPrompt) -> Matched | None:
    """The judgment as an anchor; None if it is none, or people called it a tie.

    What a verifier decided is no anchor, cross-checked or not: no preference there is the judge's,
    and its rubric may leave to the verifier all that sets the two apart.
    """
    comparison = judgment.comparison
    decided = comparison.verifier_winner is not VerifierWinner.NONE
    if decided or comparison.purpose is not Purpose.ANCHOR:
        return None
    human = human_verdict(comparison, adjudications)
    if human is None or human.winner not in (HumanWinner.A, HumanWinner.B):
        return None
    return Matched(
        anchor=Anchor(
            prompt_id=judgment.prompt_id,
            slice=comparison.slice,
            human=human.winner,
            judge=judgment.winner,
            position_bias=judgment.position_bias,
            margin=judgment.margin,
            length_a=len(comparison.a.candidate.output),
            length_b=len(comparison.b.candidate.output),
        ),
        judgment=judgment,
        label_ids=human.adjudication.label_ids,
        occurred_at=latest(judgment.occurred_at, human.adjudication.occurred_at),
    )


def calibrate(
    judgments: Iterable[Judgment],
    labels: Iterable[Label],
    settings: CalibrationSettings,
    decide: Decide,
    *,
    splits: Sequence[Split] = MEASURED,
) -> list[Calibration]:
    """One event for each judge configuration and measured split, and one for each slice of it.

    A judgment or an anchor (same texts under the same judge) seen twice counts once, the first
    time. Whoever asks for the holdout answers for its being read once: see ``measure_anchors``.
    """
    adjudications = by_prompt(adjudicate_all(labels).values())
    groups: defaultdict[tuple[str, Split, str], dict[str, Matched]] = defaultdict(dict)
    for judgment in judgments:
        found = matched(judgment, adjudications)
        if found is None:
            continue
        split = split_of(judgment.prompt_id, settings.shares)
        if split not in splits or split not in MEASURED:
            continue
        for slice_ in (ALL_SLICES, found.anchor.slice):
            group = groups[judgment.judge_config_hash, split, slice_]
            group.setdefault(_content_key(judgment), found)
    return [
        _calibration(list(group.values()), split, slice_, settings, decide)
        for (_, split, slice_), group in sorted(groups.items(), key=lambda item: item[0])
    ]


def _calibration(
    found: Sequence[Matched],
    split: Split,
    slice_: str,
    settings: CalibrationSettings,
    decide: Decide,
) -> Calibration:
    anchors = [one.anchor for one in found]
    first = found[0].judgment
    prompts = scored_prompts(anchors)
    kappa, independent = clustered_kappa(scored(anchors), prompts), len(set(prompts))
    bounds = kappa_interval(replace(kappa, n=independent), one_sided_z())
    bias, slope = mean_position_bias(anchors), length_slope(anchors)
    verdicts = stated(anchors)
    plain = reliability(verdicts)
    # nothing is fitted on the holdout, or it would measure its own fit
    fitted = scaled(verdicts) if split is Split.CALIBRATION else Scaled()
    sources = sorted({id_ for one in found for id_ in (one.judgment.event_id, *one.label_ids)})
    hash_ = config_hash(settings, STAGE, STATISTICS_VERSION, decide.config_hash)
    measured = Calibration(
        event_id=derived_id("Calibration", STAGE, [split, slice_, *sources], hash_),
        occurred_at=latest(*(one.occurred_at for one in found)),
        workload_id=first.workload_id,
        config_hash=hash_,
        source_ids=tuple(sources),
        judge_config_hash=first.judge_config_hash,
        rubric_version=first.rubric_version,
        panel=tuple(sorted({o.judge for one in found for o in one.judgment.opinions})),
        split=split.value,
        slice=slice_,
        n=kappa.n,
        confusion=verdict_counts(anchors),
        observed_agreement=kappa.observed,
        kappa=kappa.value,
        standard_error=kappa.standard_error,
        lower_bound=bounds.low if bounds else None,
        upper_bound=bounds.high if bounds else None,
        coverage=coverage(anchors),
        parse_failures=parse_failures(anchors),
        position_bias=bias.value,
        length_slope=slope.value,
        verdict=Verdict.INCONCLUSIVE,
        position_bias_error=bias.standard_error,
        length_slope_error=slope.standard_error,
        ece=plain.ece,
        brier=plain.brier,
        temperature=fitted.temperature,
        scaled_ece=fitted.ece,
        scaled_brier=fitted.brier,
        reliability=plain.bins,
        checkpoints=_checkpoints(found),
        prompts=independent,
        isotonic_ece=fitted.isotonic_ece,
        isotonic_brier=fitted.isotonic_brier,
    )
    return measured.model_copy(update={"verdict": decide(measured)})


def _checkpoints(found: Sequence[Matched]) -> dict[str, int]:
    """Anchors by whose answers they hold; one of two policies counts for both."""
    counts: Counter[str] = Counter()
    for one in found:
        sides = (one.judgment.comparison.a, one.judgment.comparison.b)
        counts.update({side.candidate.checkpoint or side.candidate.model for side in sides})
    return dict(sorted(counts.items()))


def _content_key(judgment: Judgment) -> str:
    comparison = judgment.comparison
    texts = sorted((comparison.a.candidate.output, comparison.b.candidate.output))
    return "\x1f".join([judgment.prompt_id, *texts])
