"""The verdicts of a panel's members into one. Pure.

``majority``: what more than half of the voting members say; else the panel is in CONFLICT. The
margin is the median of theirs, so it favours the winner as most of them do.

``log_odds``: M = sum of w m and B = sum of w b over the voting members, where w makes m the
log-odds that the member is right (Platt 1999, through the origin, as sides have no preference).
A member without probabilities has w = log(p / (1 - p)) of its accuracy p, and its vote for m, the
optimal weight of independent votes (Nitzan and Paroush 1982). CONFLICT where |B| > |M|.
"""

from collections.abc import Sequence
from statistics import median
from typing import Literal

from schemas.records import Opinion, Record, Winner
from streams.judge.verdict import Decision, agreement, decide

Method = Literal["majority", "log_odds"]

_SIGN = {Winner.A: 1.0, Winner.B: -1.0}


class Ballot(Record):
    """One member's opinions in both orders, the verdict they make, and the weight it has."""

    weight: float
    opinions: tuple[Opinion, ...]
    decision: Decision


def ballot(weight: float, opinions: Sequence[Opinion]) -> Ballot:
    """A member's opinions with their verdict."""
    return Ballot(weight=weight, opinions=tuple(opinions), decision=decide(*opinions))


def combine(ballots: Sequence[Ballot], method: Method) -> Decision:
    """The panel's verdict; members with weight 0 were heard and have no vote.

    INVALID where half of the voters could not be read. The margin is None where a voter has none.
    Raises ValueError where nobody has a vote.
    """
    voters = [each for each in ballots if each.weight > 0]
    if not voters:
        raise ValueError("no member has a vote")
    read = [each for each in voters if each.decision.winner is not Winner.INVALID]
    if 2 * len(read) <= len(voters):
        return Decision(winner=Winner.INVALID)
    margins = [each.decision.margin for each in read]
    biases = [each.decision.position_bias for each in read]
    known = [one for one in margins if one is not None]
    known_biases = [one for one in biases if one is not None]
    whole = len(known) == len(read)
    if method == "majority":
        winner = _majority(read, len(voters))
        margin, bias = (median(known), median(known_biases)) if whole else (None, None)
    else:
        weighted = sum(each.weight * _favour(each.decision) for each in read)
        bias = sum(each.weight * (each.decision.position_bias or 0.0) for each in read)
        winner = _by_log_odds(read, weighted, bias)
        margin = weighted if whole else None
        bias = bias if whole else None
    opinions = [opinion for each in voters for opinion in each.opinions]
    return Decision(
        winner=winner,
        margin=margin,
        position_bias=bias,
        agreement=agreement(winner, opinions),
    )


def _majority(read: Sequence[Ballot], voters: int) -> Winner:
    verdicts = [each.decision.winner for each in read]
    for winner in (Winner.A, Winner.B, Winner.TIE):
        if 2 * verdicts.count(winner) > voters:
            return winner
    return Winner.CONFLICT


def _by_log_odds(read: Sequence[Ballot], weighted: float, bias: float) -> Winner:
    verdicts = [each.decision.winner for each in read]
    if 2 * verdicts.count(Winner.TIE) > len(read):
        return Winner.TIE
    if abs(bias) > abs(weighted) or weighted == 0:
        return Winner.CONFLICT
    return Winner.A if weighted > 0 else Winner.B


def _favour(decision: Decision) -> float:
    if decision.margin is not None:
        return decision.margin
    return _SIGN.get(decision.winner, 0.0)
