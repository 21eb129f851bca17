"""How often a policy's fresh answers win on anchor prompts, by the judge and by people. Pure."""

from collections.abc import Iterable, Mapping
from math import sqrt
from statistics import fmean, stdev

from schemas.events import Judgment
from schemas.interval import two_sided_z
from schemas.records import HumanWinner, Purpose, Record, Winner
from trainer.fresh_sets import is_of

_TIE = 0.5
# Of that many, a win rate has a standard error of 7 points at most.
_ENOUGH = 50


class AnchorWins(Record):
    """Shares of ``n`` comparisons that the policy won against the reference; a tie is half a win.

    ``waiting`` are those that people have not decided; they are not among the ``n``. ``gap`` is how
    far the judge's share lies from people's, and ``gap_error`` the half width of its 95 % interval
    over the same comparisons. None where nothing was compared.
    """

    n: int
    waiting: int = 0
    judge: float | None = None
    human: float | None = None
    gap: float | None = None
    gap_error: float | None = None

    @property
    def enough(self) -> bool:
        """Whether people decided all of them, or a sample that is large enough."""
        return self.n > 0 and (self.waiting == 0 or self.n >= _ENOUGH)

    @property
    def gap_is_real(self) -> bool:
        """Whether the gap is larger than chance alone explains."""
        return self.gap is not None and self.gap_error is not None and self.gap > self.gap_error


def anchor_wins(
    judgments: Iterable[Judgment], winners: Mapping[str, HumanWinner], policy: str
) -> AnchorWins:
    """The wins of the weights with fingerprint ``policy`` over whatever they were compared with.

    ``winners`` are people's, by comparison id; what they did not decide does not count, nor a pair
    of which the policy wrote both answers or none. A verdict that could not be parsed counts as the
    opposite of people's.
    """
    compared = [
        (judgment, on_a)
        for judgment in judgments
        if judgment.comparison.purpose is Purpose.ANCHOR
        and (on_a := _side(judgment, policy)) is not None
    ]
    scores = [
        (_judged(judgment, human, on_a), _score(human, on_a))
        for judgment, on_a in compared
        if (human := winners.get(judgment.comparison.event_id)) is not None
    ]
    return wins_of(scores).model_copy(update={"waiting": len(compared) - len(scores)})


def wins_of(scores: Iterable[tuple[float, float]]) -> AnchorWins:
    """From (judge, people) of each comparison: 1 the policy won, 0 it lost, 0.5 neither."""
    found = list(scores)
    if not found:
        return AnchorWins(n=0)
    differences = [judge - human for judge, human in found]
    n = len(found)
    return AnchorWins(
        n=n,
        judge=fmean(judge for judge, _ in found),
        human=fmean(human for _, human in found),
        gap=abs(fmean(differences)),
        gap_error=two_sided_z() * stdev(differences) / sqrt(n) if n > 1 else None,
    )


class WinRate(Record):
    """The judge's share of ``n`` comparisons, with its standard error; None where there is none."""

    n: int
    value: float | None = None
    error: float | None = None


def judge_wins(judgments: Iterable[Judgment], policy: str) -> WinRate:
    """The judge's share alone: nobody has to have looked. A tie is half a win."""
    scores = [
        _score(judgment.winner, on_a)
        for judgment in judgments
        if (on_a := _side(judgment, policy)) is not None
    ]
    n = len(scores)
    if not n:
        return WinRate(n=0)
    return WinRate(n=n, value=fmean(scores), error=stdev(scores) / sqrt(n) if n > 1 else None)


def _side(judgment: Judgment, policy: str) -> bool | None:
    """Whether the policy wrote A; None where not exactly one of the two is its."""
    comparison = judgment.comparison
    a, b = is_of(comparison.a.candidate, policy), is_of(comparison.b.candidate, policy)
    return a if a is not b else None


def _judged(judgment: Judgment, human: HumanWinner, on_a: bool) -> float:
    if judgment.winner is Winner.INVALID:
        return 1 - _score(human, on_a)
    return _score(judgment.winner, on_a)


def _score(winner: Winner | HumanWinner, on_a: bool) -> float:
    if winner.value not in ("A", "B"):
        return _TIE
    return float((winner.value == "A") is on_a)
