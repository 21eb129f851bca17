"""Kappa, its standard error and the intervals hold what their definitions say."""

from itertools import product
from math import isclose, sqrt

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from sklearn.metrics import cohen_kappa_score, f1_score
from statsmodels.stats.inter_rater import cohens_kappa

from bench.interval_coverage import coverage
from consumers.agreement.bootstrap import cluster_bootstrap
from consumers.agreement.measure import Weights, measure
from consumers.calibration.agreement import (
    cohen_kappa,
    confusion,
    macro_f1,
    observed_agreement,
)
from consumers.calibration.clusters import clustered_kappa
from consumers.calibration.kappa_interval import kappa_interval
from schemas.interval import one_sided_z, two_sided_z, wilson

Ratings = list[tuple[str, str]]
labels = st.sampled_from(["A", "B", "C"])
ratings = st.lists(st.tuples(labels, labels), min_size=1, max_size=60)


@given(ratings)
def test_kappa_and_f1_are_those_of_scikit_learn(pairs: Ratings) -> None:
    cells = confusion(pairs)
    human, judge = zip(*pairs, strict=True)
    kappa = cohen_kappa(cells)
    if kappa.value is None:
        assert set(human) == set(judge)
        assert len(set(human)) == 1
    else:
        assert kappa.value == pytest.approx(cohen_kappa_score(human, judge), abs=1e-9)
    assert macro_f1(cells) == pytest.approx(
        f1_score(human, judge, average="macro", zero_division=0), abs=1e-9
    )


@given(ratings)
def test_kappa_does_not_depend_on_order_side_or_names(pairs: Ratings) -> None:
    renamed = {"A": "z", "B": "y", "C": "x"}
    value = cohen_kappa(confusion(pairs)).value
    for same in (
        list(reversed(pairs)),
        [(judge, human) for human, judge in pairs],
        [(renamed[human], renamed[judge]) for human, judge in pairs],
    ):
        other = cohen_kappa(confusion(same)).value
        assert (value is None) is (other is None)
        assert value is None or isclose(value, other or 0.0, abs_tol=1e-12)


def kappa_of_shares(shares: dict[tuple[str, str], float]) -> float:
    names = sorted({name for pair in shares for name in pair})
    observed = sum(shares.get((name, name), 0.0) for name in names)
    expected = sum(
        sum(shares.get((name, other), 0.0) for other in names)
        * sum(shares.get((other, name), 0.0) for other in names)
        for name in names
    )
    return (observed - expected) / (1 - expected)


@settings(max_examples=60)
@given(ratings)
def test_the_standard_error_is_the_delta_methods(pairs: Ratings) -> None:
    """Against a numerical gradient of kappa over the multinomial cell shares."""
    kappa = cohen_kappa(confusion(pairs))
    assume(kappa.value is not None and kappa.expected is not None and kappa.expected < 0.98)
    n = len(pairs)
    shares = {(one, other): pairs.count((one, other)) / n for one, other in product("ABC", "ABC")}
    step = 1e-6
    gradient = {
        pair: (
            kappa_of_shares(shares | {pair: shares[pair] + step})
            - kappa_of_shares(shares | {pair: shares[pair] - step})
        )
        / (2 * step)
        for pair in shares
    }
    mean = sum(shares[pair] * gradient[pair] for pair in shares)
    variance = sum(shares[pair] * gradient[pair] ** 2 for pair in shares) - mean**2
    assert kappa.standard_error == pytest.approx(sqrt(max(variance, 0) / n), abs=1e-5, rel=1e-3)


@given(ratings)
def test_the_interval_holds_kappa_and_stays_in_range(pairs: Ratings) -> None:
    kappa = cohen_kappa(confusion(pairs))
    bounds = kappa_interval(kappa, one_sided_z())
    if kappa.value is None:
        assert bounds is None
        return
    assert bounds is not None
    assert -1 <= bounds.low <= kappa.value + 1e-9
    assert kappa.value - 1e-9 <= bounds.high <= 1


@given(ratings, st.integers(2, 20))
def test_more_of_the_same_narrows_the_interval(pairs: Ratings, times: int) -> None:
    few, many = cohen_kappa(confusion(pairs)), cohen_kappa(confusion(pairs * times))
    first, second = kappa_interval(few, two_sided_z()), kappa_interval(many, two_sided_z())
    assume(first is not None and second is not None)
    assert first is not None
    assert second is not None
    assert second.low >= first.low - 1e-9
    assert second.high <= first.high + 1e-9


def test_perfect_agreement_on_few_anchors_is_not_certainty() -> None:
    three = cohen_kappa(confusion([("A", "A"), ("B", "B"), ("A", "A")]))
    bounds = kappa_interval(three, one_sided_z())
    assert three.value == 1.0
    assert bounds is not None
    assert bounds.low < 0.3


@pytest.mark.parametrize("n", [3, 30])
def test_a_judge_that_always_says_the_same_is_not_known_for_certain(n: int) -> None:
    kappa = cohen_kappa(confusion([("A", "A"), ("B", "A"), ("A", "A")] * (n // 3)))
    bounds = kappa_interval(kappa, two_sided_z())
    assert kappa.value == pytest.approx(0, abs=1e-9)
    assert bounds is not None
    assert bounds.low < -0.2
    assert bounds.high > 0.3
    assert bounds.low >= -1


def test_one_class_only_has_no_kappa() -> None:
    kappa = cohen_kappa(confusion([("A", "A")] * 20))
    assert kappa.value is None
    assert kappa.observed == 1.0


def test_no_ratings_have_no_statistics() -> None:
    assert cohen_kappa(()).value is None
    assert observed_agreement(()) is None
    assert macro_f1(()) is None


@given(st.integers(0, 400), st.integers(1, 400))
def test_wilson_holds_the_share_and_mirrors(count: int, n: int) -> None:
    assume(count <= n)
    bounds, mirrored = wilson(count, n), wilson(n - count, n)
    assert 0 <= bounds.low <= count / n <= bounds.high <= 1
    assert bounds.low == pytest.approx(1 - mirrored.high, abs=1e-12)


def test_wilson_of_a_textbook_case() -> None:
    # Newcombe (1998), table I: 81 of 263
    bounds = wilson(81, 263)
    assert (bounds.low, bounds.high) == pytest.approx((0.2553, 0.3662), abs=5e-5)


def test_wilson_refuses_more_successes_than_trials() -> None:
    with pytest.raises(ValueError, match="between 0 and n"):
        wilson(3, 2)


def square_table(pairs: Ratings) -> list[list[int]]:
    return [[pairs.count((human, judge)) for judge in "ABC"] for human in "ABC"]


@given(ratings)
def test_the_standard_error_is_that_of_statsmodels(pairs: Ratings) -> None:
    ours = cohen_kappa(confusion(pairs))
    assume(ours.value is not None and ours.expected is not None and ours.expected < 0.999)
    with np.errstate(invalid="ignore"):
        theirs = cohens_kappa(square_table(pairs))
    assert ours.value == pytest.approx(theirs.kappa, abs=1e-9)
    # rounding can leave its variance just below zero, of which it takes a root
    assume(theirs.var_kappa > 0)
    assert ours.standard_error == pytest.approx(theirs.std_kappa, abs=1e-8)


@given(ratings, st.sampled_from(["linear", "quadratic"]))
def test_weighted_kappa_is_that_of_scikit_learn(pairs: Ratings, weights: Weights) -> None:
    found = measure(pairs, order=("A", "B", "C"), weights=weights)
    human, judge = zip(*pairs, strict=True)
    assume(found.weighted_kappa is not None)
    theirs = cohen_kappa_score(human, judge, labels=["A", "B", "C"], weights=weights)
    assert found.weighted_kappa == pytest.approx(theirs, abs=1e-9)


@given(ratings)
def test_alpha_is_kappas_kin_with_shared_marginals(pairs: Ratings) -> None:
    """Krippendorff's nominal alpha of two raters: chance from the pooled labels, n − 1 of them."""
    found = measure(pairs)
    said = [label for pair in pairs for label in pair]
    assume(len(set(said)) > 1)
    n = len(said)
    by_chance = sum(said.count(one) * (n - said.count(one)) for one in set(said)) / (n * (n - 1))
    apart = sum(human != judge for human, judge in pairs) / len(pairs)
    assert found.alpha == pytest.approx(1 - apart / by_chance, abs=1e-9)


@pytest.mark.parametrize("n", [50, 100, 200])
def test_the_interval_covers_as_often_as_it_says(n: int) -> None:
    """Within a point of 95 %, over true kappas from 0.4 to 0.9."""
    assert coverage(n, None, 8_000).atanh == pytest.approx(0.95, abs=0.01)


@given(ratings)
def test_with_one_item_a_cluster_the_error_is_that_of_kappa(pairs: Ratings) -> None:
    assert clustered_kappa(pairs, [str(n) for n in range(len(pairs))]) == cohen_kappa(
        confusion(pairs)
    )


@given(ratings, st.integers(2, 5))
def test_copies_of_an_item_in_its_cluster_say_nothing_new(pairs: Ratings, times: int) -> None:
    alone = cohen_kappa(confusion(pairs))
    clusters = [str(n) for n in range(len(pairs))]
    found = clustered_kappa(pairs * times, clusters * times)
    assert found.value == pytest.approx(alone.value)
    if alone.standard_error is None or len(pairs) < 2:
        assert found.standard_error is None
    else:
        # the factor C / (C − 1) is only for clusters that have several items
        by_clusters = alone.standard_error * sqrt(len(pairs) / (len(pairs) - 1))
        assert found.standard_error == pytest.approx(by_clusters, abs=1e-9)


@pytest.mark.parametrize("per_prompt", [2, 5])
def test_the_clustered_error_is_that_of_the_bootstrap(per_prompt: int) -> None:
    draw = np.random.default_rng(7)
    pairs: Ratings = []
    clusters: list[str] = []
    for prompt in range(150):
        easy = draw.random() < 0.85
        for _ in range(per_prompt):
            human = "AB"[draw.integers(2)]
            agrees = easy if draw.random() < 0.8 else draw.random() < 0.85
            pairs.append((human, human if agrees else {"A": "B", "B": "A"}[human]))
            clusters.append(str(prompt))
    found, bounds = clustered_kappa(pairs, clusters), cluster_bootstrap(pairs, clusters, 0.95)
    assert found.standard_error is not None
    assert bounds is not None
    drawn = (bounds.high - bounds.low) / (2 * two_sided_z())
    assert found.standard_error == pytest.approx(drawn, rel=0.08)
    naive = cohen_kappa(confusion(pairs)).standard_error
    assert naive is not None
    assert found.standard_error > 1.2 * naive
