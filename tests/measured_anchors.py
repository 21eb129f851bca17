"""A shop whose judge is measured on labelled anchors, and rows that this judge labelled."""

from pathlib import Path

from consumers.calibration.splits import SplitShares
from schemas.events import Comparison, Event, Judgment
from schemas.records import (
    HumanWinner,
    Purpose,
    Winner,
)
from tests.events import comparison, judgment, verified
from tests.preferences import labels_of, preference, said

SHARES = SplitShares(calibration=0.5, holdout=0.2, core=0.3)
PIPELINE = """
workload: shop
calibration: {shares: {calibration: 0.5, holdout: 0.2, core: 0.3}}
gate: {min_anchors: 30, min_kappa: 0.5, max_age_days: 100000}
dpo: {epochs: 1, batch_size: 8, learning_rate: 0.005}
"""
N_ANCHORS = 120


def measured_project(folder: Path) -> Path:
    """The folder as the shop's project directory."""
    (folder / "pipeline.yaml").write_text(PIPELINE, encoding="utf-8")
    return folder


def anchor(number: int) -> Comparison:
    good, bad = f"yes good item{number}", f"no bad item{number}"
    texts = (good, bad) if number % 2 else (bad, good)
    prompt_id = f"anchor-{number}"
    return comparison(
        verified(f"{prompt_id}-a", output=texts[0]),
        verified(f"{prompt_id}-b", output=texts[1]),
        event_id=f"comparison of {prompt_id}",
        prompt_id=prompt_id,
        messages=said(f"what is item{number}", "user"),
        purpose=Purpose.ANCHOR,
    )


def judged(one: Comparison, winner: Winner) -> Judgment:
    return judgment(
        one, event_id=f"judgment of {one.event_id}", prompt_id=one.prompt_id, winner=winner
    )


def anchors_with(mistakes_of_10: int) -> list[Event]:
    """Anchors that people find clear and on which the judge errs this often."""
    events: list[Event] = []
    for number in range(N_ANCHORS):
        one, odd = anchor(number), number % 2 == 1
        right, wrong = (Winner.A, Winner.B) if odd else (Winner.B, Winner.A)
        verdict = wrong if number // 2 % 10 < mistakes_of_10 else right
        human = HumanWinner.A if odd else HumanWinner.B
        events += [one, judged(one, verdict), *labels_of(one, human)]
    return events


def rlaif_rows() -> list[Event]:
    return [
        preference(
            f"row-{number}",
            prompt=said(f"what is the best answer to item{number % 40}", "user"),
            chosen=said(f"yes very good item{number % 40}"),
            rejected=said(f"no very bad item{number // 2}"),
        )
        for number in range(40)
    ]
