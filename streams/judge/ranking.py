"""Rankings of N candidates into verdicts on pairs, and into one order. Pure.

Rotation r shows the candidates from number r on, so that each stands at each place once. A ranking
says of every pair which is better: an opinion of that pair, in the order in which the two were
shown. They are combined as drawn votes are (verdict.py): a taste for a place is a conflict, and
there is no margin.
"""

import re
from collections.abc import Sequence
from itertools import combinations
from string import ascii_uppercase
from typing import Final

from schemas.records import Order, Record, Winner
from streams.judge.verdict import Decision

MAX_CANDIDATES: Final = len(ascii_uppercase)

_RANKING: Final = re.compile(r"ranking\s*:\s*([^\n]*)", re.IGNORECASE)
_HALF: Final = 0.5

Ranks = dict[int, int]
"""The rank of each candidate by its number in the set, 0 the best; equals share one."""


class PairVerdict(Record):
    """What the rankings say of two candidates, by their numbers in the set."""

    a: int
    b: int
    decision: Decision


def rotation(count: int, first: int) -> list[int]:
    """The numbers in the order in which this rotation shows them."""
    return [(first + place) % count for place in range(count)]


def read_ranking(text: str, shown: Sequence[int]) -> Ranks | None:
    """The last ``Ranking: B > A = C`` of an answer; None where it does not name each shown once."""
    lines = _RANKING.findall(text)
    if not lines:
        return None
    groups = [re.findall(r"\b[A-Z]\b", group) for group in lines[-1].split(">")]
    letters = [letter for group in groups for letter in group]
    if sorted(letters) != list(ascii_uppercase[: len(shown)]):
        return None
    return {
        shown[ascii_uppercase.index(letter)]: place
        for place, group in enumerate(groups)
        for letter in group
    }


def shown_order(a: int, b: int, shown: Sequence[int]) -> Order:
    """Which of the two stood before the other."""
    return Order.AB if shown.index(a) < shown.index(b) else Order.BA


def preferred(a: int, b: int, ranks: Ranks | None) -> Winner:
    """What a ranking says of two candidates."""
    if ranks is None:
        return Winner.INVALID
    if ranks[a] == ranks[b]:
        return Winner.TIE
    return Winner.A if ranks[a] < ranks[b] else Winner.B


def best_first(count: int, pairs: Sequence[PairVerdict]) -> tuple[int, ...]:
    """The numbers by pairs won, half a pair for each that is undecided (Copeland 1951).

    Of equals the earlier one goes first.
    """
    won = dict.fromkeys(range(count), 0.0)
    for pair in pairs:
        winner = pair.decision.winner
        won[pair.a] += _HALF if winner not in (Winner.A, Winner.B) else winner is Winner.A
        won[pair.b] += _HALF if winner not in (Winner.A, Winner.B) else winner is Winner.B
    return tuple(sorted(won, key=lambda number: (-won[number], number)))


def all_pairs(count: int) -> list[tuple[int, int]]:
    """Every pair of numbers, the smaller first."""
    return list(combinations(range(count), 2))
