"""What pulls the judge's verdicts besides the answers: their position and their length."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import sqrt

from consumers.calibration.anchors import Anchor
from schemas.records import HumanWinner, Winner


@dataclass(frozen=True, kw_only=True)
class Estimate:
    """A number and its standard error; None where there is too little to tell."""

    value: float | None = None
    standard_error: float | None = None


def mean_position_bias(anchors: Sequence[Anchor]) -> Estimate:
    """Mean of b in log-odds, positive towards the first slot; no value without probabilities."""
    biases = [anchor.position_bias for anchor in anchors if anchor.position_bias is not None]
    if not biases:
        return Estimate()
    mean = sum(biases) / len(biases)
    if len(biases) < 2:
        return Estimate(value=mean)
    variance = sum((bias - mean) ** 2 for bias in biases) / (len(biases) - 1)
    return Estimate(value=mean, standard_error=sqrt(variance / len(biases)))


def length_slope(anchors: Sequence[Anchor]) -> Estimate:
    """How much more than people the judge favours the longer answer.

    Least-squares slope of [judge chose A] − [human chose A] on (|A| − |B|) / max(|A|, |B|), over
    anchors that were parsed and decided; 0 for a judge that errs regardless of length. No value
    where all lengths differ by the same share. The errors of a 0/1 verdict differ from anchor to
    anchor, so the standard error is the robust HC1 (MacKinnon and White 1985).
    """
    points = [
        (_length_difference(anchor), (anchor.judge == Winner.A) - (anchor.human == HumanWinner.A))
        for anchor in anchors
        if anchor.judge in (Winner.A, Winner.B)
    ]
    if not points:
        return Estimate()
    mean_x = sum(x for x, _ in points) / len(points)
    mean_y = sum(y for _, y in points) / len(points)
    spread = sum((x - mean_x) ** 2 for x, _ in points)
    if spread < 1e-12:
        return Estimate()
    slope = sum((x - mean_x) * (y - mean_y) for x, y in points) / spread
    if len(points) < 3:
        return Estimate(value=slope)
    meat = sum(((x - mean_x) * (y - mean_y - slope * (x - mean_x))) ** 2 for x, y in points)
    correction = len(points) / (len(points) - 2)
    return Estimate(value=slope, standard_error=sqrt(correction * meat) / spread)


def _length_difference(anchor: Anchor) -> float:
    return (anchor.length_a - anchor.length_b) / max(anchor.length_a, anchor.length_b, 1)
