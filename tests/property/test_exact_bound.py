"""The exact bound of a share is what it says: so few would be seen in one of twenty cases."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binom

from schemas.exact_bound import exact_upper
from schemas.interval import one_sided_z, wilson


@given(st.integers(1, 3000).flatmap(lambda n: st.tuples(st.integers(0, n - 1), st.just(n))))
def test_so_few_have_the_chance_that_is_left(counted: tuple[int, int]) -> None:
    successes, n = counted
    assert binom.cdf(successes, n, exact_upper(successes, n)) == pytest.approx(0.05, rel=1e-6)


@given(st.integers(1, 3000))
def test_nothing_seen_is_the_rule_of_three_and_above_wilsons(n: int) -> None:
    bound = exact_upper(0, n)
    assert bound == pytest.approx(1 - 0.05 ** (1 / n))
    assert bound > wilson(0, n, one_sided_z()).high


def test_at_the_ends() -> None:
    assert exact_upper(0, 0) == exact_upper(3, 3) == 1.0
    with pytest.raises(ValueError, match="4 successes of 3"):
        exact_upper(4, 3)
