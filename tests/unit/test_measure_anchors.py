"""Calibrations through the ledger: the holdout's number does not move once it was read."""

from collections.abc import Sequence
from pathlib import Path

import pytest

from consumers.calibration.calibrate import CalibrationSettings
from consumers.calibration.holdout_ledger import HoldoutLedger
from consumers.calibration.measure_anchors import Measured, measure_anchors
from consumers.calibration.splits import Split
from schemas.events import Calibration, Judgment, Label
from schemas.records import HumanWinner, Winner
from tests.preferences import labels_of
from tests.unit.test_calibration_calibrate import anchor, judged, prompts_of
from trainer.gate_rules import CalibrationRule
from trainer.gate_settings import GateSettings

SETTINGS = CalibrationSettings(min_holdout=10)
DECIDE = CalibrationRule(settings=GateSettings(min_anchors=20))
WINNERS = ((HumanWinner.A, Winner.A), (HumanWinner.B, Winner.B))


def judged_anchors(
    split: Split, n: int, *, wrong: int = 0, judge: str = "jc"
) -> tuple[list[Judgment], list[Label]]:
    judgments, labels = [], []
    for place, prompt in enumerate(prompts_of(split, n)):
        human, right = WINNERS[place % 2]
        one = anchor(prompt)
        said = right if place >= wrong else WINNERS[(place + 1) % 2][1]
        judgments.append(
            judged(one, said, judge_config_hash=judge, event_id=f"{judge} on {prompt}")
        )
        labels += labels_of(one, human)
    return judgments, labels


def both(n: int, locked: int, *, wrong: int = 0) -> tuple[list[Judgment], list[Label]]:
    on, on_labels = judged_anchors(Split.CALIBRATION, n, wrong=wrong)
    off, off_labels = judged_anchors(Split.HOLDOUT, locked)
    return on + off, on_labels + off_labels


def of(measured: Measured, split: Split) -> Sequence[Calibration]:
    return [one for one in measured.calibrations if one.split == split and one.slice == ""]


@pytest.fixture
def ledger(tmp_path: Path) -> HoldoutLedger:
    return HoldoutLedger(tmp_path / "ledger.jsonl")


def test_the_holdout_stands_whatever_is_labelled_later(ledger: HoldoutLedger) -> None:
    first = measure_anchors(*both(80, 12), SETTINGS, DECIDE, ledger)
    later = measure_anchors(*both(80, 30), SETTINGS, DECIDE, ledger)
    assert [one.n for one in of(first, Split.HOLDOUT)] == [12]
    assert of(later, Split.HOLDOUT) == of(first, Split.HOLDOUT)
    assert "that stands" in later.holdout["jc"]
    assert later.looks == first.looks


def test_more_anchors_are_another_look(ledger: HoldoutLedger) -> None:
    measure_anchors(*both(80, 12), SETTINGS, DECIDE, ledger)
    assert measure_anchors(*both(90, 12), SETTINGS, DECIDE, ledger).looks["jc"].look == 2


@pytest.mark.parametrize(
    ("n", "locked", "wrong", "may_read", "said"),
    [
        (80, 12, 30, True, "does not pass"),
        (80, 9, 0, True, "9 of 10"),
        (80, 12, 0, False, "12 locked anchors are left"),
    ],
)
def test_the_holdout_is_not_wasted(
    ledger: HoldoutLedger, n: int, locked: int, wrong: int, may_read: bool, said: str
) -> None:
    judgments, labels = both(n, locked, wrong=wrong)
    measured = measure_anchors(
        judgments, labels, SETTINGS, DECIDE, ledger, may_read_holdout=may_read
    )
    assert said in measured.holdout["jc"]
    assert of(measured, Split.HOLDOUT) == []
    assert ledger.holdout("jc") is None


def test_a_reading_that_was_never_published_comes_out_again(ledger: HoldoutLedger) -> None:
    """As after a crash between the ledger and the broker, even where the anchors are gone."""
    first = measure_anchors(*both(80, 12), SETTINGS, DECIDE, ledger)
    judgments, labels = judged_anchors(Split.CALIBRATION, 80)
    again = measure_anchors(judgments, labels, SETTINGS, DECIDE, ledger)
    assert of(again, Split.HOLDOUT) == of(first, Split.HOLDOUT)


def test_a_changed_judge_reads_for_itself(ledger: HoldoutLedger) -> None:
    judgments, labels = both(80, 12)
    measure_anchors(judgments, labels, SETTINGS, DECIDE, ledger)
    new = [
        one.model_copy(update={"judge_config_hash": "new", "event_id": f"new {one.event_id}"})
        for one in judgments
    ]
    measured = measure_anchors([*judgments, *new], labels, SETTINGS, DECIDE, ledger)
    assert {one.judge_config_hash for one in of(measured, Split.HOLDOUT)} == {"jc", "new"}
    assert measured.looks["new"].judge == 2
