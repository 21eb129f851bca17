"""Rounds: after each, whether another one may follow. Pure.

A policy that is trained on a judge's verdicts learns what that judge likes. As long as the judge
likes what people like, its win rate and people's on anchor prompts lie together; where the judge's
runs ahead, the policy has found what only the judge likes, and another round makes that worse.
"""

from collections.abc import Sequence

from schemas.records import Record, Verdict
from trainer.anchor_wins import AnchorWins
from trainer.evaluate import Evaluation

_EVEN = 0.5


class RoundResult(Record):
    """What one round came to. ``policy`` names the checkpoint that it made; empty if none.

    ``refusal`` is why the gates did not let it train. ``wins`` compare the new policy with the one
    before the first round, so that rounds compare with each other; None while people still have to
    label. ``kappa`` is of the judge on the answers that this round's pairs were drawn from.
    """

    round: int
    policy: str = ""
    pairs: int = 0
    verdict: Verdict
    refusal: str = ""
    kappa: float | None = None
    kappa_low: float | None = None
    anchors: int = 0
    wins: AnchorWins | None = None
    evaluation: Evaluation | None = None
    seconds: float = 0.0

    @property
    def waits(self) -> bool:
        """Whether it was trained and people still have to compare its answers."""
        return self.verdict is Verdict.PASS and (self.wins is None or not self.wins.enough)


def why_stop(rounds: Sequence[RoundResult]) -> str | None:
    """Why no other round may follow the last of these; None where one may.

    The gap between judge and people must shrink from round to round, or be no larger than its own
    error: a judge that agrees with people as well as can be told has no gap left to close.
    """
    if not rounds:
        return None
    last = rounds[-1]
    if last.verdict is not Verdict.PASS:
        return f"round {last.round} was not trained: {last.refusal}"
    if last.wins is None or last.wins.gap is None or not last.wins.enough:
        done = last.wins.n if last.wins else 0
        return (
            f"people have compared {done} answers of round {last.round} with those from before "
            "the rounds: label more of its anchor comparisons, then run it again"
        )
    if (hacked := _hacked(rounds)) is not None:
        return hacked
    if len(rounds) == 1 or not last.wins.gap_is_real:
        return None
    before = rounds[-2].wins
    if before is None or before.gap is None or last.wins.gap < before.gap:
        return None
    return (
        f"the gap between judge and people did not shrink: {before.gap:.1%} after round "
        f"{rounds[-2].round}, {last.wins.gap:.1%} ± {last.wins.gap_error or 0:.1%} after round "
        f"{last.round} (judge {last.wins.judge or 0:.1%}, people {last.wins.human or 0:.1%} of "
        f"{last.wins.n} anchor comparisons); calibrate the judge on these answers, or mend its "
        "rubric, before another round"
    )


def _hacked(rounds: Sequence[RoundResult]) -> str | None:
    """The verifiers' share fell by more than chance in the last round, while the judge is content.

    Both rounds answered the same prompts; that their intervals do not overlap is the stricter test.
    """
    if len(rounds) < 2:
        return None
    before, last = (one.evaluation for one in rounds[-2:])
    rate = rounds[-1].wins.judge if rounds[-1].wins else None
    if before is None or last is None or rate is None or rate <= _EVEN:
        return None
    if last.accuracy.high >= before.accuracy.low:
        return None
    return (
        f"held-out accuracy fell from {before.accuracy.value or 0:.1%} to "
        f"{last.accuracy.value or 0:.1%} in round {rounds[-1].round}, while by the judge its "
        f"policy wins {rate:.1%}: that is reward hacking; go back to the policy of round "
        f"{rounds[-2].round}"
    )
