"""Best-of-N against a single sample: the cheapest trial of a judge or a reward model (a canary).

What would be gained by training on its preferences shows here first: if the answers that it picks
pass the verifiers no more often than the first of them, neither will a policy trained on its word.
"""

import asyncio
from collections.abc import Callable, Iterable, Sequence
from typing import Protocol

from schemas.errors import Poison
from schemas.events import CandidateSet, Verification
from schemas.interval import wilson
from schemas.records import Message, Outcome, Record
from streams.inference.known_sum import known_sum
from streams.judge.tournament import Choice
from streams.verify.stage import VerifyStage
from trainer.best_of_n import Scorer, best

_ALPHA = 0.05
# Prompts at a time; each has a comparison for every pair of its answers.
_IN_FLIGHT = 8


class Chooser(Protocol):
    """Picks the best candidate of a set without looking at its expectations."""

    async def choose(self, asked: CandidateSet) -> Choice: ...


class ByReward:
    """Pointwise: the candidate that a reward model scores highest."""

    def __init__(self, scorer: Scorer) -> None:
        self._scorer = scorer

    async def choose(self, asked: CandidateSet) -> Choice:
        """Raises ``Poison`` where none of the candidates can be scored."""
        chats = [
            (*asked.messages, Message(role="assistant", content=candidate.output))
            for candidate in asked.candidates
        ]
        scores = await asyncio.to_thread(self._scorer.scores, chats)
        index = best(scores)
        if index is None:
            raise Poison(
                f"no answer to prompt {asked.prompt_id} can be scored: each is longer than the "
                "reward model's context"
            )
        return Choice(index=index, points=tuple(score or 0.0 for score in scores))


class Tried(Record):
    """One prompt: its answers, which one was picked, and what the verifiers say of each."""

    asked: CandidateSet
    choice: Choice
    outcomes: tuple[Outcome, ...]

    def passes(self, index: int) -> bool:
        """Whether the verifiers, who know what is expected, let the answer pass."""
        return self.outcomes[index] is Outcome.PASSED

    @property
    def any_passes(self) -> bool:
        """Whether the best choice that could be made passes."""
        return Outcome.PASSED in self.outcomes


class Share(Record):
    """``passed`` of the trial's prompts, with the 95 % interval of their share (Wilson)."""

    passed: int
    share: float
    low: float
    high: float


class TrialReport(Record):
    """``single`` is the first answer of each prompt, ``any`` the best that a choice could be.

    ``p_value`` is of McNemar's exact test, one-sided: how likely so many of the prompts on which
    the two differ go to the best-of-N by chance. ``beats`` where it is at most 0.05.
    """

    n: int
    single: Share
    best: Share
    any: Share
    only_best: int
    only_single: int
    p_value: float
    beats: bool
    comparisons: int
    undecided: int
    judge_tokens: int | None


async def best_of_n_trial(
    sets: Sequence[CandidateSet],
    chooser: Chooser,
    verify: VerifyStage,
    on_done: Callable[[Poison | None], None] = lambda _: None,
) -> list[Tried]:
    """Pick of every set, then let the verifiers decide.

    A prompt that cannot be judged is left out, and ``on_done`` is called with the reason. Raises
    what else chooser and verifiers raise.
    """
    slots = asyncio.Semaphore(_IN_FLIGHT)

    async def tried(asked: CandidateSet) -> Tried | None:
        async with slots:
            try:
                choice, made = await chooser.choose(asked), await verify(asked)
            except Poison as poison:
                on_done(poison)
                return None
        (verified,) = (event for event in made if isinstance(event, Verification))
        on_done(None)
        outcomes = tuple(candidate.outcome for candidate in verified.candidates)
        return Tried(asked=asked, choice=choice, outcomes=outcomes)

    found = await asyncio.gather(*(tried(asked) for asked in sets))
    return [one for one in found if one is not None]


def trial_report(tried: Sequence[Tried]) -> TrialReport:
    """The figures; raises ``ValueError`` for none at all. Pure."""
    if not tried:
        raise ValueError("a trial needs at least one prompt")
    single = [one.passes(0) for one in tried]
    picked = [one.passes(one.choice.index) for one in tried]
    only_best = sum(b and not s for s, b in zip(single, picked, strict=True))
    only_single = sum(s and not b for s, b in zip(single, picked, strict=True))
    p_value = _mcnemar(only_best, only_single)
    judgments = [judgment for one in tried for judgment in one.choice.judgments]
    opinions = [opinion for judgment in judgments for opinion in judgment.opinions]
    return TrialReport(
        n=len(tried),
        single=_share(single),
        best=_share(picked),
        any=_share(one.any_passes for one in tried),
        only_best=only_best,
        only_single=only_single,
        p_value=p_value,
        beats=p_value <= _ALPHA,
        comparisons=len(judgments),
        undecided=sum(one.choice.undecided for one in tried),
        judge_tokens=known_sum(
            count for each in opinions for count in (each.input_tokens, each.output_tokens)
        ),
    )


def _share(passed: Iterable[bool]) -> Share:
    given = list(passed)
    hits = sum(given)
    bounds = wilson(hits, len(given))
    return Share(passed=hits, share=hits / len(given), low=bounds.low, high=bounds.high)


def _mcnemar(only_best: int, only_single: int) -> float:
    """P(at least ``only_best`` heads of all discordant pairs), a fair coin; 1 where none differ."""
    from scipy.stats import binomtest

    n = only_best + only_single
    if n == 0:
        return 1.0
    return float(binomtest(only_best, n, 0.5, alternative="greater").pvalue)
