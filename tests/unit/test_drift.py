"""Drift: a changed judge is noticed, an unchanged one is left alone."""

from itertools import repeat
from statistics import fmean

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from consumers.calibration.drift import agreement_of_kappa, cusum
from schemas.errors import ConfigError

GOOD, BAD = 0.93, 0.80


def probes(share: float, n: int, seed: int) -> list[bool]:
    return [bool(agrees) for agrees in np.random.default_rng(seed).random(n) < share]


def test_a_change_is_noticed_soon_and_dated() -> None:
    found = [
        cusum(probes(GOOD, 200, seed) + probes(BAD, 300, seed), GOOD, BAD) for seed in range(40)
    ]
    alarms = [one.alarm_at for one in found if one.alarm_at is not None]
    assert len(alarms) == 40
    assert sum(at <= 200 for at in alarms) <= 10
    delays = [at - 200 for at in alarms if at > 200]
    assert fmean(delays) < 100
    began = [one.began_at for one in found if one.alarm_at is not None and one.alarm_at > 200]
    assert fmean(abs(at - 200) for at in began if at is not None) < 40


def test_false_alarms_are_as_rare_as_asked_for() -> None:
    runs = [cusum(probes(GOOD, 20_000, seed), GOOD, BAD, 200).alarm_at for seed in range(30)]
    assert fmean(20_000 if at is None else at for at in runs) >= 200


@given(st.lists(st.booleans(), max_size=300), st.integers(2, 10**6))
def test_the_sum_is_never_negative_and_an_alarm_stays(agreed: list[bool], rare: int) -> None:
    found = cusum(agreed, GOOD, BAD, rare)
    assert found.sum >= 0
    assert (found.probes, found.disagreements) == (len(agreed), agreed.count(False))
    if found.alarm_at is not None:
        assert cusum(agreed[: found.alarm_at], GOOD, BAD, rare).sum >= found.limit
        assert cusum([*agreed, *repeat(True, 500)], GOOD, BAD, rare).alarm_at == found.alarm_at


@pytest.mark.parametrize(
    ("calibrated", "unacceptable"), [(0.8, 0.9), (0.8, 0.8), (1.0, 0.8), (0.9, 0.0)]
)
def test_shares_that_leave_nothing_to_watch_are_refused(
    calibrated: float, unacceptable: float
) -> None:
    with pytest.raises(ConfigError, match="two shares of agreement"):
        cusum([], calibrated, unacceptable)


def test_kappa_in_a_balanced_frame() -> None:
    assert agreement_of_kappa(0.72) == pytest.approx(0.86)
