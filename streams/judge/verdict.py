"""Two opinions, one for each order, into one verdict. Pure.

With l1 = log P(first) - log P(second) where A stood first, and l2 the same where B stood first:
m = (l1 - l2) / 2 favours A, and b = (l1 + l2) / 2 favours whatever stands first.
"""

import math
from typing import Final

from schemas.records import Opinion, Order, Record, Winner

# Stands for a verdict that is not among the returned alternatives: one order is worth at most
# about 13.8 in log-odds, and every margin can be computed again from the stored probabilities.
PROBABILITY_FLOOR: Final = 1e-6


class Decision(Record):
    """What both orders say together; margin and bias in log-odds, None without probabilities."""

    winner: Winner
    margin: float | None = None
    position_bias: float | None = None
    agreement: float | None = None


def decide(one: Opinion, other: Opinion) -> Decision:
    """The verdict of one judge over both orders.

    INVALID where either answer is. With probabilities: TIE where a tie is the likeliest verdict in
    both orders, CONFLICT where the place weighs more than the candidates (|b| > |m|), else the
    candidate that m favours. Without: what both orders name, else CONFLICT. Raises ValueError
    where the opinions are not one of each order.
    """
    by_order = {one.order: one, other.order: other}
    if len(by_order) != len(Order):
        raise ValueError("a verdict needs one opinion of each order")
    ab, ba = by_order[Order.AB], by_order[Order.BA]
    if Winner.INVALID in (ab.answer, ba.answer):
        return Decision(winner=Winner.INVALID)
    l1, l2 = log_odds(ab), log_odds(ba)
    if l1 is None or l2 is None:
        winner = ab.answer if ab.answer is ba.answer else Winner.CONFLICT
        return Decision(winner=winner, agreement=_agreement(winner, ab, ba))
    m, b = (l1 - l2) / 2, (l1 + l2) / 2
    winner = _winner(ab, ba, m, b)
    return Decision(winner=winner, margin=m, position_bias=b, agreement=_agreement(winner, ab, ba))


def log_odds(opinion: Opinion) -> float | None:
    """log P(first) - log P(second); None where the judge gave no probabilities."""
    if opinion.p_first is None or opinion.p_second is None:
        return None
    first, second = (max(p, PROBABILITY_FLOOR) for p in (opinion.p_first, opinion.p_second))
    return math.log(first) - math.log(second)


def _winner(ab: Opinion, ba: Opinion, m: float, b: float) -> Winner:
    if ab.answer is Winner.TIE and ba.answer is Winner.TIE:
        return Winner.TIE
    if abs(b) > abs(m):
        return Winner.CONFLICT
    if m == 0:
        return Winner.TIE
    return Winner.A if m > 0 else Winner.B


def _agreement(winner: Winner, ab: Opinion, ba: Opinion) -> float:
    """Share of the opinions that name the winner; in a conflict, of those that name one side."""
    answers = (ab.answer, ba.answer)
    if winner is Winner.CONFLICT:
        return max(answers.count(answer) for answer in answers) / len(answers)
    return answers.count(winner) / len(answers)
