"""Bounds of paired differences: what they cover, and that they never claim too much."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.records import Verdict
from trainer.promotion.difference import at_least, at_most, mean_difference, share_difference

SHARES = st.lists(st.sampled_from([-1.0, -0.5, 0.0, 0.5, 1.0]), min_size=2, max_size=60)


@given(SHARES)
def test_bounds_hold_the_value_and_turn_with_it(differences: list[float]) -> None:
    found = share_difference(differences)
    turned = share_difference([-d for d in differences])
    assert found.low is not None
    assert found.high is not None
    assert turned.low == pytest.approx(-found.high)
    assert -1 <= found.low < found.high <= 1


@given(SHARES, st.floats(-1, 1))
def test_a_floor_and_the_ceiling_of_what_is_turned_agree(
    differences: list[float], limit: float
) -> None:
    floor = at_least("x", share_difference(differences), limit).verdict
    ceiling = at_most("x", share_difference([-d for d in differences]), -limit).verdict
    assert floor is ceiling


@given(st.lists(st.sampled_from([0.0]), min_size=2, max_size=30))
def test_few_equal_answers_are_no_certainty(differences: list[float]) -> None:
    found = share_difference(differences)
    assert found.low is not None
    assert found.low < -0.03
    assert at_least("x", found, -0.03).verdict is Verdict.INCONCLUSIVE


@pytest.mark.parametrize(
    ("n", "better", "worse"), [(50, 0.1, 0.1), (200, 0.05, 0.1), (400, 0.02, 0.04)]
)
def test_the_lower_bound_is_above_the_truth_at_most_one_time_in_twenty(
    n: int, better: float, worse: float
) -> None:
    dice, trials = random.Random(7), 4000
    truth, above = better - worse, 0
    for _ in range(trials):
        draws = (dice.random() for _ in range(n))
        found = share_difference(
            [1.0 if d < better else -1.0 if d < better + worse else 0.0 for d in draws]
        )
        assert found.low is not None
        above += found.low > truth
    # 0.05 and 3 standard errors of 4,000 trials
    assert above / trials <= 0.061


def test_one_value_gives_no_bounds() -> None:
    assert mean_difference([1.0]).value is None
    assert share_difference([]).n == 0
    assert at_least("x", mean_difference([1.0]), 0.0).verdict is Verdict.INCONCLUSIVE


def test_a_mean_has_the_bounds_of_the_normal_distribution() -> None:
    found = mean_difference([1.0, 2.0, 3.0, 4.0])
    # 2.5 -+ 1.6449 * sqrt(5/3 / 4)
    assert found.low == pytest.approx(1.43829, abs=1e-4)
    assert found.high == pytest.approx(3.56171, abs=1e-4)
