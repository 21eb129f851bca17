"""Which answer stands on which side, so that neither a person nor a model has a favourite side."""

from enum import StrEnum

from schemas.events import Comparison
from schemas.ids import unit_interval
from schemas.records import HumanWinner, Order, VerifiedCandidate


class Choice(StrEnum):
    """A verdict in terms of what the person saw: A is the left answer, B the right one."""

    A = "A"
    B = "B"
    TIE = "TIE"
    BOTH_BAD = "BOTH_BAD"


_EXCHANGED = {"A": "B", "B": "A"}


def order_shown(person: str, comparison_id: str) -> Order:
    """The order in which this person sees the pair: random, and the same whenever they look."""
    return Order.AB if unit_interval("review order", person, comparison_id) < 0.5 else Order.BA


def shown(comparison: Comparison, order: Order) -> tuple[VerifiedCandidate, VerifiedCandidate]:
    """The left and the right answer."""
    sides = (comparison.a, comparison.b)
    return sides if order is Order.AB else (sides[1], sides[0])


def winner_of(choice: Choice, order: Order) -> HumanWinner:
    """The verdict in terms of the comparison's own A and B."""
    return HumanWinner(choice if order is Order.AB else _EXCHANGED.get(choice, choice))


def choice_of(winner: HumanWinner, order: Order) -> Choice:
    """The verdict in terms of what is on the left and on the right."""
    return Choice(winner if order is Order.AB else _EXCHANGED.get(winner, winner))
