"""One judge's opinions of both orders into one verdict. Pure.

With l1 = log P(first) - log P(second) where A stood first, and l2 the same where B stood first:
m = (l1 - l2) / 2 favours A, and b = (l1 + l2) / 2 favours whatever stands first.

Drawn verdicts are votes: with d1 and d2 the share for the first minus that for the second, the same
m and b decide, but they are shares and no log-odds, so such a verdict has no margin.
"""

import math
from collections.abc import Sequence
from typing import Final

from schemas.records import Opinion, Order, Record, Winner

# Stands for a verdict that is not among the returned alternatives: one order is worth at most
# about 13.8 in log-odds, and every margin can be computed again from the stored probabilities.
PROBABILITY_FLOOR: Final = 1e-6


class Decision(Record):
    """What all orders say together; margin and bias in log-odds, None without probabilities."""

    winner: Winner
    margin: float | None = None
    position_bias: float | None = None
    agreement: float | None = None


def decide(*opinions: Opinion) -> Decision:
    """The verdict of one judge over both orders.

    INVALID where half of an order's answers are. With probabilities: TIE where a tie is the
    likeliest verdict in both orders, CONFLICT where the place weighs more than the candidates
    (|b| > |m|), else the candidate that m favours. Without: the votes of both orders, CONFLICT
    where the place weighs as much. Raises ValueError where an order is missing.
    """
    ab = [opinion for opinion in opinions if opinion.order is Order.AB]
    ba = [opinion for opinion in opinions if opinion.order is Order.BA]
    if not ab or not ba:
        raise ValueError("a verdict needs opinions of both orders")
    if any(_unreadable(order) for order in (ab, ba)):
        return Decision(winner=Winner.INVALID)
    l1, l2 = log_odds(ab[0]), log_odds(ba[0])
    if len(opinions) > len(Order) or l1 is None or l2 is None:
        winner = _by_votes(ab, ba)
        return Decision(winner=winner, agreement=agreement(winner, opinions))
    m, b = (l1 - l2) / 2, (l1 + l2) / 2
    winner = _winner(ab[0], ba[0], m, b)
    return Decision(winner=winner, margin=m, position_bias=b, agreement=agreement(winner, opinions))


def log_odds(opinion: Opinion) -> float | None:
    """log P(first) - log P(second); None where the judge gave no probabilities."""
    if opinion.p_first is None or opinion.p_second is None:
        return None
    first, second = (max(p, PROBABILITY_FLOOR) for p in (opinion.p_first, opinion.p_second))
    return math.log(first) - math.log(second)


def tie_log_odds(opinion: Opinion) -> float | None:
    """log P(tie) - log P(the likelier candidate); None where the judge gave no probabilities."""
    if opinion.p_first is None or opinion.p_second is None or opinion.p_tie is None:
        return None
    tie = max(opinion.p_tie, PROBABILITY_FLOOR)
    return math.log(tie) - math.log(max(opinion.p_first, opinion.p_second, PROBABILITY_FLOOR))


def agreement(winner: Winner, opinions: Sequence[Opinion]) -> float:
    """Share of the opinions that name the winner; in a conflict, of those that name one side."""
    answers = [opinion.answer for opinion in opinions]
    if winner is Winner.CONFLICT:
        return max(answers.count(answer) for answer in answers) / len(answers)
    return answers.count(winner) / len(answers)


def _unreadable(opinions: Sequence[Opinion]) -> bool:
    invalid = sum(opinion.answer is Winner.INVALID for opinion in opinions)
    return 2 * invalid >= len(opinions)


def _winner(ab: Opinion, ba: Opinion, m: float, b: float) -> Winner:
    if ab.answer is Winner.TIE and ba.answer is Winner.TIE:
        return Winner.TIE
    if abs(b) > abs(m):
        return Winner.CONFLICT
    if m == 0:
        return Winner.TIE
    return Winner.A if m > 0 else Winner.B


def _by_votes(ab: Sequence[Opinion], ba: Sequence[Opinion]) -> Winner:
    if all(_most(order) is Winner.TIE for order in (ab, ba)):
        return Winner.TIE
    for_a, other = _lead(ab), _lead(ba)
    m, b = (for_a + other) / 2, (for_a - other) / 2
    if abs(b) >= abs(m):
        return Winner.CONFLICT
    return Winner.A if m > 0 else Winner.B


def _lead(opinions: Sequence[Opinion]) -> float:
    """Share of the votes for A minus that for B."""
    answers = [opinion.answer for opinion in opinions]
    return (answers.count(Winner.A) - answers.count(Winner.B)) / len(answers)


def _most(opinions: Sequence[Opinion]) -> Winner:
    """What most of them say; where two verdicts have as many, it is a tie."""
    answers = [opinion.answer for opinion in opinions]
    counts = sorted(((answers.count(w), w) for w in (Winner.A, Winner.B, Winner.TIE)), reverse=True)
    return Winner.TIE if counts[0][0] == counts[1][0] else counts[0][1]
