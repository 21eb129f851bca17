"""Rounds: after each, whether another one may follow. Pure.

A policy that is trained on a judge's verdicts learns what that judge likes. As long as the judge
likes what people like, its win rate and people's on anchor prompts lie together; where the judge's
runs ahead, the policy has found what only the judge likes, and another round makes that worse.
"""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from typing import Final

from schemas.events import Run
from schemas.records import GateResult, Record, RunStatus, Verdict
from trainer.anchor_wins import AnchorWins
from trainer.evaluate import Evaluation, Share
from trainer.promotion.candidate import next_step
from trainer.promotion.reward_hacking import GATE as HACKING

GAP: Final = "judge_human_gap"
_EVEN = 0.5


class RoundResult(Record):
    """What one round came to. ``policy`` names the checkpoint that it made (empty if none), and
    ``run_id`` the run in the log.

    ``unanswered`` are the round's prompts that gave no answer; ``truncated`` and ``dropped`` are as
    of ``TrainedPolicy``. ``before`` is what the policy that the round began from can do on the
    held-out prompts, ``evaluation`` what the new one can. ``refusal`` is why the gates did not let
    it train. ``wins`` compare the new policy with the one before the first round, so that rounds
    compare with each other; None while people still have to label. ``kappa`` is of the judge on the
    answers that this round's pairs were drawn from.
    """

    round: int
    run_id: str = ""
    policy: str = ""
    unanswered: int = 0
    pairs: int = 0
    truncated: int = 0
    dropped: int = 0
    verdict: Verdict
    refusal: str = ""
    kappa: float | None = None
    kappa_low: float | None = None
    anchors: int = 0
    wins: AnchorWins | None = None
    before: Evaluation | None = None
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
    against = _against(rounds)
    return against.detail if against else None


def withheld(rounds: Sequence[RoundResult], runs: Iterable[Run], at: datetime) -> Run | None:
    """The last round's run, withheld for what was measured of it; None where nothing speaks
    against it, or the log has said so already. ``runs`` in the order of the log.
    """
    against = _against(rounds)
    own = [run for run in runs if rounds and run.run_id == rounds[-1].run_id]
    if against is None or not own or any(run.status is RunStatus.WITHHELD for run in own):
        return None
    return next_step(own[-1], RunStatus.WITHHELD, at, gates=(against,), detail=against.detail)


def _against(rounds: Sequence[RoundResult]) -> GateResult | None:
    """What was measured that speaks against the last one's policy."""
    if not rounds or rounds[-1].waits:
        return None
    return _hacked(rounds) or _widened(rounds)


def _hacked(rounds: Sequence[RoundResult]) -> GateResult | None:
    """The verifiers' share fell by more than chance below an earlier policy's, while the judge is
    content.

    All answered the same prompts; that their intervals do not overlap is the stricter test.
    """
    last = rounds[-1]
    rate = last.wins.judge if last.wins else None
    if last.evaluation is None or rate is None or rate <= _EVEN:
        return None
    now = last.evaluation.accuracy
    for policy, then in _earlier(rounds):
        if now.high < then.low:
            return GateResult(
                name=HACKING,
                verdict=Verdict.FAIL,
                value=(now.value or 0) - (then.value or 0),
                threshold=0.0,
                detail=f"held-out accuracy fell from {then.value or 0:.1%} to {now.value or 0:.1%} "
                f"by round {last.round}, while by the judge its policy wins {rate:.1%}: that is "
                f"reward hacking; go back to the policy {policy}",
            )
    return None


def _earlier(rounds: Sequence[RoundResult]) -> Iterator[tuple[str, Share]]:
    """The held-out accuracy of each policy before the last one, the newest first."""
    for one in reversed(rounds[:-1]):
        if one.evaluation is not None:
            yield f"of round {one.round}", one.evaluation.accuracy
    if rounds[0].before is not None:
        yield "from before the first round", rounds[0].before.accuracy


def _widened(rounds: Sequence[RoundResult]) -> GateResult | None:
    """The gap between judge and people is real, and not smaller than after the round before."""
    if len(rounds) < 2:
        return None
    before, last = rounds[-2:]
    then, now = before.wins, last.wins
    if then is None or now is None or then.gap is None or now.gap is None:
        return None
    if not now.gap_is_real or now.gap < then.gap:
        return None
    return GateResult(
        name=GAP,
        verdict=Verdict.FAIL,
        value=now.gap,
        threshold=then.gap,
        detail=f"the gap between judge and people did not shrink: {then.gap:.1%} after round "
        f"{before.round}, {now.gap:.1%} ± {now.gap_error or 0:.1%} after round {last.round} (judge "
        f"{now.judge or 0:.1%}, people {now.human or 0:.1%} of {now.n} anchor comparisons); "
        "calibrate the judge on these answers, or mend its rubric, before another round",
    )
