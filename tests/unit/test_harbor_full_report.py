"""The report of the whole story where something is missing, and a story taken up by another."""

from pathlib import Path

import pytest

from examples.harbor.demo.result import AccountingFigures
from examples.harbor.full.cells import Cell, claim
from examples.harbor.full.cost import Labelling, Prices, bill
from examples.harbor.full.html import report
from examples.harbor.full.labelled import LabelledRound
from examples.harbor.full.policies import Name
from examples.harbor.full.result import FullResult
from examples.harbor.full.targets import targets
from schemas.errors import ConfigError
from trainer.evaluate import share

BOUGHT = Labelling(
    machine_pairs=9, anchor_labels=10, core_labels=0, input_tokens=100, output_tokens=100
)


def a_round(number: int, wrong: int = 0, checked: int = 9) -> LabelledRound:
    return LabelledRound(
        round=number,
        counts={"VERIFIER": 9},
        margins=(),
        chosen_wrong=share(wrong, checked),
        calibrations=(),
        bought=BOUGHT,
        measured=(),
        seconds=1.0,
    )


def test_a_round_that_nothing_was_measured_of_does_not_reach_a_target() -> None:
    def value(*rounds: LabelledRound) -> float | None:
        found = targets({}, rounds, bill(BOUGHT, Prices()))
        return next(one.value for one in found if one.title.startswith("chosen but wrong"))

    assert value(a_round(1), a_round(2, wrong=3)) == pytest.approx(1 / 3)
    assert value(a_round(1), a_round(2, checked=0)) is None


def test_the_report_of_refused_policies_and_of_no_pair_that_the_judge_decided() -> None:
    rounds = (a_round(1), a_round(2))
    cost = bill(BOUGHT, Prices())
    refused = [
        Cell(name=name, seed=0, evaluation=None, refusal="age_days: <b>old</b>", made_of="x")
        for name in (Name.REWARD, Name.RLOO)
    ]
    page = report(
        FullResult(
            seeds=(0,),
            policies={},
            cells=tuple(refused),
            rounds=rounds,
            last_wins=None,
            prices=Prices(),
            bill=cost,
            targets=targets({}, rounds, cost),
            accounting=AccountingFigures(closed=True, stages={}),
            seconds=1.0,
        )
    )
    assert "reward model, seed 0, was refused: age_days: &lt;b&gt;old" in page
    assert "RLOO by the reward model, seed 0, was refused" in page


def test_a_folder_is_of_what_it_was_begun_with(tmp_path: Path) -> None:
    file = tmp_path / "full" / "story" / "labelled-by"
    claim(file, "one")
    claim(file, "one")
    with pytest.raises(ConfigError, match=f"{tmp_path / 'full'} was begun with other settings"):
        claim(file, "another")
