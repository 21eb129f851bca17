"""Both orders into one verdict: margin, position bias, conflict, tie."""

import math

import pytest

from schemas.records import Order, Winner
from streams.judge.verdict import decide
from tests.unit.judge_case import opinion


def test_both_orders_for_one_candidate() -> None:
    decision = decide(opinion(Order.AB, (0.8, 0.1, 0.1)), opinion(Order.BA, (0.2, 0.4, 0.3)))
    l1, l2 = math.log(0.8 / 0.1), math.log(0.2 / 0.4)
    assert decision.winner is Winner.A
    assert decision.margin == pytest.approx((l1 - l2) / 2)
    assert decision.position_bias == pytest.approx((l1 + l2) / 2)
    assert decision.agreement == 1.0


def test_the_order_of_the_arguments_does_not_matter() -> None:
    ab, ba = opinion(Order.AB, (0.1, 0.8, 0.1)), opinion(Order.BA, (0.7, 0.2, 0.1))
    assert decide(ab, ba) == decide(ba, ab)
    assert decide(ab, ba).winner is Winner.B


def test_what_always_prefers_the_first_is_in_conflict() -> None:
    decision = decide(opinion(Order.AB, (0.9, 0.1, 0.0)), opinion(Order.BA, (0.8, 0.2, 0.0)))
    assert decision.winner is Winner.CONFLICT
    assert decision.position_bias is not None
    assert decision.margin is not None
    assert abs(decision.position_bias) > abs(decision.margin)
    assert decision.agreement == 0.5


def test_a_tie_needs_both_orders() -> None:
    tie_ab, tie_ba = opinion(Order.AB, (0.3, 0.1, 0.6)), opinion(Order.BA, (0.1, 0.3, 0.6))
    assert decide(tie_ab, tie_ba).winner is Winner.TIE
    half = decide(tie_ab, opinion(Order.BA, (0.1, 0.8, 0.1)))
    assert half.winner is Winner.A
    assert half.agreement == 0.5


def test_no_preference_at_all_is_a_tie() -> None:
    even = (0.45, 0.45, 0.1)
    assert decide(opinion(Order.AB, even), opinion(Order.BA, even)).winner is Winner.TIE


def test_one_invalid_answer_makes_the_verdict_invalid() -> None:
    bad = opinion(Order.BA, (0.3, 0.2, 0.1), Winner.INVALID)
    decision = decide(opinion(Order.AB, (0.9, 0.1, 0.0)), bad)
    assert (decision.winner, decision.margin, decision.agreement) == (Winner.INVALID, None, None)


@pytest.mark.parametrize(
    ("ab", "ba", "winner"),
    [
        (Winner.A, Winner.A, Winner.A),
        (Winner.TIE, Winner.TIE, Winner.TIE),
        (Winner.A, Winner.B, Winner.CONFLICT),
        (Winner.A, Winner.TIE, Winner.CONFLICT),
    ],
)
def test_without_probabilities_both_orders_must_say_the_same(
    ab: Winner, ba: Winner, winner: Winner
) -> None:
    decision = decide(opinion(Order.AB, answer=ab), opinion(Order.BA, answer=ba))
    assert (decision.winner, decision.margin, decision.position_bias) == (winner, None, None)


def test_a_verdict_that_was_not_offered_counts_as_the_floor() -> None:
    decision = decide(opinion(Order.AB, (1.0, 0.0, 0.0)), opinion(Order.BA, (0.0, 1.0, 0.0)))
    assert decision.margin == pytest.approx(math.log(1e6))


def test_two_opinions_of_one_order_are_a_mistake() -> None:
    with pytest.raises(ValueError, match="both orders"):
        decide(opinion(Order.AB, (1, 0, 0)), opinion(Order.AB, (1, 0, 0)))
