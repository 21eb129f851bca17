"""Whether a judge is stronger than the policy it teaches, on pairs with a known better answer.

The policy's own judgment is which answer it finds likelier. Where that is as good as the judge's,
training on the judge's labels teaches the policy what it knows already.
"""

import asyncio
from collections.abc import Sequence
from typing import Protocol

from scipy.stats import binomtest

from schemas.events import Comparison
from schemas.records import Message, Record, Winner

_LEVEL = 0.05


class Ranks(Protocol):
    """A policy that knows how likely an answer is: natural log of its probability."""

    async def log_likelihood(self, messages: Sequence[Message], answer_text: str) -> float: ...


class Strength(Record):
    """Shares of ``n`` pairs whose better answer was preferred; an abstention is no preference.

    The policy's ranking is by the sum over an answer's tokens and by its mean a character, of
    which the better one counts. ``p_value`` is that of a judge no stronger than that (sign test on
    the pairs where one of them is right and the other is not, one-sided).
    """

    n: int
    judge: float
    policy_by_sum: float
    policy_by_mean: float
    p_value: float

    @property
    def is_stronger(self) -> bool:
        """Whether the judge is stronger, beyond chance at 5 %."""
        return self.p_value < _LEVEL


async def likelihood_ranking(
    comparisons: Sequence[Comparison], better: Sequence[Winner], policy: Ranks
) -> tuple[list[bool], list[bool]]:
    """Of each pair whether the policy finds the better answer likelier: by sum, and by mean.

    The mean is a character, as tokens of two answers are not alike. Raises what the policy raises.
    """

    async def score(event: Comparison, text: str) -> float:
        return await policy.log_likelihood(event.messages, text)

    texts = [(one.a.candidate.output, one.b.candidate.output) for one in comparisons]
    pairs = list(zip(comparisons, texts, strict=True))
    in_a = await asyncio.gather(*(score(event, a) for event, (a, _) in pairs))
    in_b = await asyncio.gather(*(score(event, b) for event, (_, b) in pairs))
    by_sum: list[bool] = []
    by_mean: list[bool] = []
    for (a, b), winner, of_a, of_b in zip(texts, better, in_a, in_b, strict=True):
        by_sum.append((of_a > of_b) == (winner is Winner.A))
        by_mean.append((of_a / len(a) > of_b / len(b)) == (winner is Winner.A))
    return by_sum, by_mean


def strength(judge: Sequence[bool], by_sum: Sequence[bool], by_mean: Sequence[bool]) -> Strength:
    """The figures of whether each was right; raises ValueError where there is no pair."""
    if not judge:
        raise ValueError("no pair to compare on")
    policy = by_sum if sum(by_sum) >= sum(by_mean) else by_mean
    judge_alone = sum(one and not other for one, other in zip(judge, policy, strict=True))
    policy_alone = sum(other and not one for one, other in zip(judge, policy, strict=True))
    discordant = judge_alone + policy_alone
    p_value = 1.0
    if discordant:
        p_value = float(binomtest(judge_alone, discordant, alternative="greater").pvalue)
    return Strength(
        n=len(judge),
        judge=sum(judge) / len(judge),
        policy_by_sum=sum(by_sum) / len(judge),
        policy_by_mean=sum(by_mean) / len(judge),
        p_value=p_value,
    )
