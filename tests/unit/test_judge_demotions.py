"""A judge that falls below the gate after it had passed: told once, and only then."""

from datetime import timedelta

import pytest

from schemas.events import Calibration
from tests.events import NOON
from tests.preferences import calibration
from trainer.gate_settings import GateSettings
from trainer.judge_demotions import JudgeDemotion, judge_demotions
from trainer.kappa_rule import FIRST_LOOK

PASSING = calibration()
LATER = NOON + timedelta(hours=1)


def later(number: int, kappa: float) -> Calibration:
    return calibration(
        event_id=f"later-{number}",
        occurred_at=NOON + timedelta(minutes=number),
        kappa=kappa,
        lower_bound=kappa - 0.04,
        upper_bound=kappa + 0.04,
    )


def demoted(known: list[Calibration], *made: Calibration) -> list[JudgeDemotion]:
    return judge_demotions(known, made, GateSettings(), LATER, lambda _: FIRST_LOOK)


def test_a_fall_after_passing_is_told_with_its_numbers() -> None:
    (found,) = demoted([PASSING], later(1, 0.3))
    assert (found.judge_config_hash, found.workload_id) == ("jc", "shop")
    assert "judge jc is demoted. kappa: by lower_bound; kappa 0.3000" in found.text
    assert [gate.name for gate in found.gates] == ["kappa"]


def test_it_is_told_once() -> None:
    fallen = later(1, 0.3)
    assert not demoted([PASSING, fallen], fallen)
    assert not demoted([PASSING, fallen], later(2, 0.3))


@pytest.mark.parametrize("known", [[], [later(0, 0.3)]])
def test_a_judge_that_never_passed_is_not_demoted(known: list[Calibration]) -> None:
    assert not demoted(known, later(1, 0.3))


def test_one_that_still_passes_is_not_demoted() -> None:
    assert not demoted([PASSING], later(1, 0.8))
    assert not demoted([PASSING])
