"""What is shown beside the gates and decides nothing, what was not measured included. Pure."""

from dataclasses import dataclass

from schemas.events import Calibration
from trainer.kappa_rule import Looked
from trainer.slice_rule import SliceDecision


@dataclass(frozen=True, kw_only=True)
class Reported:
    """A statistic, or the sentence that it was not measured."""

    name: str
    value: float | None = None
    detail: str = ""


def reported(
    calibration: Calibration,
    looked: Looked,
    slices: SliceDecision,
    holdout: Calibration | None,
) -> list[Reported]:
    """The statistics of the calibration that decide nothing."""
    found = [
        Reported(name="observed_agreement", value=calibration.observed_agreement),
        Reported(name="parse_failures", value=calibration.parse_failures),
        Reported(
            name="judges_tried",
            value=looked.judge,
            detail="this judge's place among the configurations looked at so far",
        ),
    ]
    if calibration.position_bias is None:
        found.append(
            Reported(name="position_bias", detail="not measured: the judge gives no probabilities")
        )
    if calibration.length_slope is None:
        found.append(
            Reported(name="length_slope", detail="not measured: no two answers differ in length")
        )
    if holdout is None:
        found.append(Reported(name="holdout_veto", detail="the holdout was not read yet"))
    elif holdout.kappa is None:
        found.append(
            Reported(
                name="holdout_veto",
                value=holdout.n,
                detail="no veto: kappa is undefined on these locked anchors, they are of one class",
            )
        )
    found += [
        Reported(
            name=f"slice {name}",
            value=n,
            detail="uncalibrated: too few anchors to decide; its pairs go to people",
        )
        for name, n in slices.uncalibrated
    ]
    return found
