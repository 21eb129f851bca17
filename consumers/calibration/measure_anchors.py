"""One calibration of every judge: the calibration split as it is now, the holdout only once."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import partial

from consumers.calibration.adjudicate import adjudicate_all
from consumers.calibration.calibrate import (
    ALL_SLICES,
    CalibrationSettings,
    Decide,
    calibrate,
    matched,
)
from consumers.calibration.holdout_ledger import HoldoutLedger, Look
from consumers.calibration.matching import by_prompt
from consumers.calibration.splits import Split, split_of
from schemas.events import Calibration, Judgment, Label
from schemas.records import Verdict


@dataclass(frozen=True, kw_only=True)
class Measured:
    """``looks`` are by judge configuration; ``holdout`` says of each what became of its reading."""

    calibrations: tuple[Calibration, ...]
    looks: dict[str, Look]
    holdout: dict[str, str]


def measure_anchors(
    judgments: Sequence[Judgment],
    labels: Sequence[Label],
    settings: CalibrationSettings,
    decide: Decide,
    ledger: HoldoutLedger,
    *,
    may_read_holdout: bool = True,
) -> Measured:
    """Calibrations of every judge configuration; each is a look that the ledger counts.

    The holdout of a configuration is read where the calibration split alone would let it pass,
    for only then is there anything to veto, and at least ``settings.min_holdout`` of its anchors
    are labelled. A reading of before is given again as it was.
    """
    calibrations: list[Calibration] = []
    looks: dict[str, Look] = {}
    holdout: dict[str, str] = {}
    on_split = calibrate(judgments, labels, settings, decide, splits=(Split.CALIBRATION,))
    verdicts = {one.judge_config_hash: one for one in on_split if one.slice == ALL_SLICES}
    for hash_ in sorted({judgment.judge_config_hash for judgment in judgments} | verdicts.keys()):
        calibrations += [one for one in on_split if one.judge_config_hash == hash_]
        whole = verdicts.get(hash_)
        if whole is not None:
            looks[hash_] = ledger.look(whole)
        if (earlier := ledger.holdout(hash_)) is not None:
            calibrations += earlier.calibrations
            holdout[hash_] = f"read {earlier.said()}; that stands"
            continue
        if whole is None:
            continue
        own = [one for one in judgments if one.judge_config_hash == hash_]
        locked = _locked(own, labels, settings)
        if whole.verdict is not Verdict.PASS:
            holdout[hash_] = "not read: the calibration split does not pass, so nothing to veto"
        elif locked < settings.min_holdout:
            holdout[hash_] = f"not read: {locked} of {settings.min_holdout} locked anchors so far"
        elif not may_read_holdout:
            holdout[hash_] = f"not read: {locked} locked anchors are left for a run that publishes"
        else:
            read = ledger.read_holdout(
                hash_,
                partial(calibrate, own, labels, settings, decide, splits=(Split.HOLDOUT,)),
            )
            calibrations += read.calibrations
            holdout[hash_] = f"read {read.said()}"
    return Measured(calibrations=tuple(calibrations), looks=looks, holdout=holdout)


def _locked(
    judgments: Iterable[Judgment], labels: Iterable[Label], settings: CalibrationSettings
) -> int:
    """How many prompts of the holdout have both verdicts, without looking at what they are."""
    adjudications = by_prompt(adjudicate_all(labels).values())
    return len(
        {
            one.prompt_id
            for one in judgments
            if split_of(one.prompt_id, settings.shares) is Split.HOLDOUT
            and matched(one, adjudications) is not None
        }
    )
