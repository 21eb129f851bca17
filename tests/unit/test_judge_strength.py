"""A judge beside its policy's own likelihood: who is right more often, and is it chance?"""

from collections.abc import Sequence

import pytest

from schemas.records import Message, Winner
from streams.judge.strength import likelihood_ranking, strength
from tests.unit.judge_case import comparison


class LikesShort:
    """Each character costs half a nat."""

    async def log_likelihood(self, messages: Sequence[Message], answer_text: str) -> float:
        return -0.5 * len(answer_text)


async def test_the_sum_prefers_short_answers_and_the_mean_does_not() -> None:
    events = [comparison(a="short", b="a longer one"), comparison(a="a longer one", b="short")]
    by_sum, by_mean = await likelihood_ranking(events, [Winner.A, Winner.A], LikesShort())
    assert by_sum == [True, False]
    assert by_mean == [False, False]  # neither is likelier a character


def test_the_better_of_the_policys_rankings_counts() -> None:
    right, wrong = [True] * 30, [False] * 30
    found = strength(right, wrong, [True] * 20 + [False] * 10)
    assert (found.judge, found.policy_by_sum) == (1.0, 0.0)
    assert found.p_value == pytest.approx(0.5**10)
    assert found.is_stronger


@pytest.mark.parametrize(("judge", "policy"), [(20, 20), (19, 20), (22, 20)])
def test_a_judge_that_may_be_no_better_is_not_stronger(judge: int, policy: int) -> None:
    rows = [[True] * count + [False] * (30 - count) for count in (judge, policy)]
    assert not strength(rows[0], rows[1], rows[1]).is_stronger


def test_nothing_to_compare_on_is_a_mistake() -> None:
    with pytest.raises(ValueError, match="no pair"):
        strength([], [], [])
