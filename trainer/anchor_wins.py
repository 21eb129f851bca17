"""How often a policy's fresh answers win on anchor prompts, by the judge and by people. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from math import sqrt
from statistics import fmean, stdev

from schemas.events import Judgment
from schemas.interval import two_sided_z
from schemas.records import HumanWinner, Purpose, Record, Winner
from streams.filter_rules import verifier_decided
from trainer.fresh_sets import is_of

_TIE = 0.5
# Of that many, a win rate has a standard error of 7 points at most.
_ENOUGH = 50


class AnchorWins(Record):
    """Shares of the comparisons that the policy won against the reference; a tie is half a win.

    ``n`` are those that people decided, ``waiting`` those that they were asked about and have not,
    and ``unanswered`` the prompts that were not compared, as one of the two could not be asked.
    ``gap`` is how far the judge's share lies from people's, and ``gap_error`` the half width of its
    95 % interval. None where too few were compared to tell.
    """

    n: int
    waiting: int = 0
    unanswered: int = 0
    judge: float | None = None
    human: float | None = None
    gap: float | None = None
    gap_error: float | None = None

    @property
    def enough(self) -> bool:
        """Whether people decided all they were asked about, or a sample that is large enough."""
        return self.human is not None and (self.waiting == 0 or self.n >= _ENOUGH)

    @property
    def gap_is_real(self) -> bool:
        """Whether the gap is larger than chance alone explains."""
        return self.gap is not None and self.gap_error is not None and self.gap > self.gap_error


def anchor_wins(
    judgments: Iterable[Judgment],
    winners: Mapping[str, HumanWinner],
    policy: str,
    asked: Iterable[str],
) -> AnchorWins:
    """The wins of the weights with fingerprint ``policy`` over whatever they were compared with.

    ``winners`` are people's, by comparison id, and ``asked`` the ids they were asked about; a pair
    of which the policy wrote both answers or none does not count. A verdict that could not be
    parsed counts as the opposite of people's. People look at other shares of what a judge decided
    than of what a verifier decided, so each kind weighs what it has of all comparisons.
    """
    strata = {True: Stratum(), False: Stratum()}
    compared: set[str] = set()
    for judgment in judgments:
        on_a = _side(judgment, policy)
        if on_a is None or judgment.comparison.purpose is not Purpose.ANCHOR:
            continue
        compared.add(judgment.comparison.event_id)
        stratum = strata[verifier_decided(judgment)]
        stratum.size += 1
        if (human := winners.get(judgment.comparison.event_id)) is not None:
            stratum.scores.append((_judged(judgment, human, on_a), _score(human, on_a)))
    waiting = len(compared.intersection(asked) - winners.keys())
    return wins_of(list(strata.values())).model_copy(update={"waiting": waiting})


@dataclass(kw_only=True)
class Stratum:
    """Comparisons of one kind. ``scores`` are (judge, people) of those that people decided: 1 the
    policy won, 0 it lost, 0.5 neither.
    """

    size: int = 0
    scores: list[tuple[float, float]] = field(default_factory=list)


def wins_of(strata: Iterable[Stratum]) -> AnchorWins:
    """Shares in which each stratum weighs as many comparisons as it has, decided or not.

    None where people decided nothing of a stratum that has some.
    """
    found = [one for one in strata if one.size]
    n = sum(len(one.scores) for one in found)
    if not found or not all(one.scores for one in found):
        return AnchorWins(n=n)
    total = sum(one.size for one in found)
    judge = sum(one.size * fmean(score for score, _ in one.scores) for one in found) / total
    human = sum(one.size * fmean(score for _, score in one.scores) for one in found) / total
    return AnchorWins(
        n=n, judge=judge, human=human, gap=abs(judge - human), gap_error=_error(found, total)
    )


def _error(strata: Sequence[Stratum], total: int) -> float | None:
    """Half the 95 % interval of the mean difference after stratification (Cochran 1977, 5A.9): what
    differences vary by within strata, and what other comparisons would vary the strata's sizes by.

    Each stratum is given half a comparison that the judge alone gives to the policy and half a one
    that people alone do (Bonett and Price 2012): a hundred without a difference are no proof.
    """
    if sum(len(one.scores) for one in strata) < 2:
        return None
    within = between = mean = 0.0
    for one in strata:
        weight, n = one.size / total, len(one.scores) + 2
        differences = [judge - human for judge, human in one.scores]
        squares = sum(difference**2 for difference in differences) + 1
        within += weight**2 * (squares / n - (sum(differences) / n) ** 2) / n
        between += weight * fmean(differences) ** 2 / total
        mean += weight * fmean(differences)
    return two_sided_z() * sqrt(within + between - mean**2 / total)


class WinRate(Record):
    """The judge's share of ``n`` comparisons, with its standard error; None where there is none.

    ``unanswered`` are the prompts that one of the two could not be asked.
    """

    n: int
    unanswered: int = 0
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
