"""The judge's margin as a confidence: its errors, and what a temperature makes of them."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.isotonic import IsotonicRegression
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import brier_score_loss
from sklearn.model_selection import cross_val_predict

from consumers.calibration.reliability import (
    Scaled,
    Stated,
    fit_isotonic,
    fit_temperature,
    reliability,
    scaled,
)


def stated(n: int, honest: float, seed: int = 1) -> list[Stated]:
    """Verdicts of a judge whose margins are ``honest`` times too large."""
    draw = np.random.default_rng(seed)
    margins = np.abs(draw.normal(0, 2, n))
    right = draw.random(n) < 1 / (1 + np.exp(-margins))
    return [
        Stated(key=f"prompt-{k}", margin=float(m) * honest, right=bool(r))
        for k, (m, r) in enumerate(zip(margins, right, strict=True))
    ]


def test_an_honest_judge_needs_no_temperature() -> None:
    found = stated(6000, 1.0)
    assert (reliability(found).ece or 1) < 0.02
    assert fit_temperature(found) == pytest.approx(1.0, abs=0.1)


def test_a_boastful_judge_is_cooled_down() -> None:
    found = stated(3000, 3.0)
    plain, after = reliability(found), scaled(found)
    assert after.temperature == pytest.approx(3.0, rel=0.1)
    assert plain.ece is not None
    assert plain.brier is not None
    assert after.ece is not None
    assert after.brier is not None
    assert after.ece < plain.ece / 3
    assert after.brier < plain.brier


def test_the_temperature_is_that_of_a_regression_without_intercept() -> None:
    found = stated(500, 2.0)
    sign = np.where([n % 2 == 0 for n in range(len(found))], 1, -1)
    margins = np.array([one.margin for one in found]) * sign
    # half of the verdicts turned round, as a regression needs both classes
    chosen = np.array([one.right for one in found]) == (sign == 1)
    model = LogisticRegression(C=np.inf, fit_intercept=False).fit(margins[:, None], chosen)
    assert fit_temperature(found) == pytest.approx(1 / float(model.coef_[0, 0]), rel=0.03)
    folds = cross_val_predict(model, margins[:, None], chosen, method="predict_proba")
    assert scaled(found).brier == pytest.approx(brier_score_loss(chosen, folds[:, 1]), abs=2e-3)


def test_the_isotonic_fit_is_scikit_learns() -> None:
    found = [
        Stated(key=one.key, margin=round(one.margin, 1), right=one.right)
        for one in stated(400, 2.0)
    ]
    margins = np.array([one.margin for one in found])
    reference = IsotonicRegression(out_of_bounds="clip").fit(margins, [one.right for one in found])
    asked = np.linspace(-1, margins.max() + 1, 200)
    assert fit_isotonic(found)(asked) == pytest.approx(reference.predict(asked), abs=1e-9)


def test_an_isotonic_fit_mends_what_no_temperature_can() -> None:
    """A judge that is right four times in five, however sure it says it is."""
    draw = np.random.default_rng(5)
    margins, right = np.abs(draw.normal(0, 3, 3000)), draw.random(3000) < 0.8
    found = scaled(
        [
            Stated(key=f"prompt-{n}", margin=float(margin), right=bool(was))
            for n, (margin, was) in enumerate(zip(margins, right, strict=True))
        ]
    )
    assert found.ece is not None
    assert found.isotonic_ece is not None
    assert found.isotonic_ece < 0.03 < found.ece
    assert found.isotonic_brier == pytest.approx(0.16, abs=0.01)


def test_few_verdicts_get_no_fit() -> None:
    assert scaled(stated(49, 1.0)) == Scaled()
    assert reliability([]).ece is None


verdicts = st.lists(st.tuples(st.floats(0, 1e3), st.booleans()), min_size=1, max_size=80)


@given(verdicts)
def test_every_verdict_is_in_one_bin_and_brier_is_scikit_learns(
    drawn: list[tuple[float, bool]],
) -> None:
    found = [Stated(key=str(n), margin=m, right=right) for n, (m, right) in enumerate(drawn)]
    measured = reliability(found)
    assert sum(one.n for one in measured.bins) == len(found)
    assert all(one.low - 1e-9 <= one.confidence <= one.high + 1e-9 for one in measured.bins)
    confidence = [1 / (1 + np.exp(-m)) for m, _ in drawn]
    assert measured.brier == pytest.approx(
        np.mean([(c - right) ** 2 for c, (_, right) in zip(confidence, drawn, strict=True)])
    )
    assert measured.ece is not None
    assert 0 <= measured.ece <= 1
