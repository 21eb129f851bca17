"""Which old verdicts a rejudging holds the new ones against. Pure."""

from collections.abc import Iterable

from schemas.events import Judgment
from schemas.records import VerifierWinner


def old_verdicts(judgments: Iterable[Judgment], judge: str | None = None) -> list[Judgment]:
    """The last judgment of each comparison that a judge decided, in the order of the input.

    What a verifier decided is left out: a rubric has no say there. ``judge`` keeps only those of
    that judge_config_hash.
    """
    last: dict[str, Judgment] = {}
    for judgment in judgments:
        is_judged = judgment.comparison.verifier_winner is VerifierWinner.NONE
        if is_judged and judge in (None, judgment.judge_config_hash):
            last[judgment.comparison.event_id] = judgment
    return list(last.values())


def newest(judgments: Iterable[Judgment], n: int) -> list[Judgment]:
    """The ``n`` with the latest event time, oldest first."""
    ordered = sorted(judgments, key=lambda judgment: (judgment.occurred_at, judgment.event_id))
    return ordered[-n:]
