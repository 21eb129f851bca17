"""How sure a panel's first member is: it decides alone where that is enough. Pure."""

from collections.abc import Sequence

from schemas.records import Opinion, Winner
from streams.judge.verdict import Decision, tie_log_odds


def sureness(decision: Decision, opinions: Sequence[Opinion]) -> float | None:
    """|m| of a winner; of a tie, how much likelier it is than either answer in both orders.

    In log-odds; None where nothing was decided, or there are no probabilities.
    """
    if decision.winner is Winner.TIE:
        leads = [tie_log_odds(opinion) for opinion in opinions]
        known = [lead for lead in leads if lead is not None]
        return min(known) if known and len(known) == len(leads) else None
    if decision.winner not in (Winner.A, Winner.B) or decision.margin is None:
        return None
    return abs(decision.margin)
