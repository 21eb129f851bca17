"""The gates after training: may this policy serve in place of the reference? Pure.

Both answered the same prompts, so every number is a mean of paired differences. Fail closed:
PASS says that the candidate is surely no worse than the limits allow, FAIL that it surely is,
INCONCLUSIVE that nobody knows; only PASS promotes.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from math import exp, log

from schemas.records import CheckStatus, GateResult, Outcome, Verdict
from trainer.evaluate import Answered, is_refusal
from trainer.promotion.difference import (
    Difference,
    at_least,
    at_most,
    mean_difference,
    share_difference,
    shared_z,
    unless_below,
)
from trainer.promotion.repetition import repetition
from trainer.promotion.reward_hacking import hacking_gate
from trainer.promotion.settings import PromotionSettings

Rule = Callable[[str, Difference, float, str], GateResult]
"""Name, difference, floor and detail to a gate."""

_NO_KL = (
    "the two share no vocabulary, or no prompt left room for an answer; kl_prompts: 0 goes without"
)


@dataclass(frozen=True, kw_only=True)
class Pair:
    """One prompt, answered by both."""

    candidate: Answered
    reference: Answered


@dataclass(frozen=True, kw_only=True)
class Duel:
    """What the judge said of the two answers to one prompt: 1 the candidate won, 0 it lost, one
    half a tie, a conflict between the orders, or equal texts."""

    slice: str
    score: float


def pairs(candidate: Sequence[Answered], reference: Sequence[Answered]) -> list[Pair]:
    """The answers to each prompt side by side; raises ``ValueError`` where prompts differ."""
    if [one.prompt_id for one in candidate] != [one.prompt_id for one in reference]:
        raise ValueError("both policies must answer the same prompts in the same order")
    return [
        Pair(candidate=one, reference=other)
        for one, other in zip(candidate, reference, strict=True)
    ]


def post_train_gates(
    answered: Sequence[Pair],
    duels: Sequence[Duel] | None,
    kl: Sequence[float] | None,
    settings: PromotionSettings,
) -> tuple[GateResult, ...]:
    """Every gate with its number. ``duels`` None: no judge; ``kl`` None: nobody asked
    for it; empty: it could not be estimated."""
    verifiers = verifier_gains(answered)
    gates = [
        prompts_gate("held_out", len(answered), settings.min_prompts),
        at_least("accuracy", share_difference(pass_gains(answered)), -settings.max_drop),
        *_slice_vetoes("accuracy", _by_slice(answered), settings),
        *(
            at_least(f"verifier/{name}", share_difference(gains), -settings.max_drop)
            for name, gains in verifiers.items()
        ),
        at_most("refusals", _rise(answered, is_refusal), settings.max_refusal_rise),
        at_most("repetition", _rise(answered, repetition), settings.max_repetition_rise),
        *_length(answered, settings),
    ]
    if kl is not None:
        said = "nats a token" if kl else _NO_KL
        gates.append(at_most("kl", mean_difference(kl), settings.max_kl, said))
    if duels is not None:
        wins = win_difference(duels)
        gates += [
            win_rate_gate("win_rate", duels, settings.max_win_rate_drop),
            *_slice_vetoes("win_rate", _duels_by_slice(duels), settings),
            hacking_gate(wins, verifiers, settings.max_drop),
        ]
    return tuple(gates)


def prompts_gate(name: str, n: int, least: int) -> GateResult:
    """Whether there are enough prompts for any answer at all."""
    enough = n >= least
    return GateResult(
        name=name,
        verdict=Verdict.PASS if enough else Verdict.INCONCLUSIVE,
        value=n,
        threshold=least,
        detail="" if enough else f"{least - n} more prompts are needed",
    )


def gone_without(name: str, why: str) -> GateResult:
    """What did not decide says so."""
    return GateResult(name=name, verdict=Verdict.PASS, detail=f"not run: {why}")


def win_difference(duels: Sequence[Duel]) -> Difference:
    """Win rate minus one half."""
    whole = share_difference([2 * duel.score - 1 for duel in duels])
    if whole.value is None or whole.low is None or whole.high is None:
        return whole
    return Difference(n=whole.n, value=whole.value / 2, low=whole.low / 2, high=whole.high / 2)


def win_rate_gate(
    name: str, duels: Sequence[Duel], max_drop: float, rule: Rule = at_least
) -> GateResult:
    """The judge's win rate against one half minus ``max_drop``; value and threshold are rates."""
    gate = rule(name, win_difference(duels), -max_drop, "from one half")
    rate = None if gate.value is None else gate.value + 0.5
    return gate.model_copy(update={"value": rate, "threshold": 0.5 - max_drop})


def pass_gains(answered: Iterable[Pair]) -> list[float]:
    """Passed minus passed of each pair; an answer that could not be decided has not passed."""
    return [
        float(pair.candidate.outcome is Outcome.PASSED)
        - float(pair.reference.outcome is Outcome.PASSED)
        for pair in answered
    ]


def verifier_gains(answered: Sequence[Pair]) -> dict[str, list[float]]:
    """Passed minus passed of each pair, by the name of each hard check.

    A check that an earlier failure kept from running did not pass; of one that could not decide
    nothing is known, and the pair is left out.
    """
    hard = {
        check.name
        for pair in answered
        for side in (pair.candidate, pair.reference)
        for check in side.checks
        if check.hard
    }
    found: dict[str, list[float]] = {}
    for name in sorted(hard):
        known = ((_check(pair.candidate, name), _check(pair.reference, name)) for pair in answered)
        found[name] = [one - other for one, other in known if one is not None and other is not None]
    return found


def _check(side: Answered, name: str) -> float | None:
    for check in side.checks:
        if check.name == name and check.status in (CheckStatus.PASS, CheckStatus.FAIL):
            return float(check.status is CheckStatus.PASS)
    return 0.0 if side.outcome is Outcome.FAILED else None


def _rise(answered: Sequence[Pair], measure: Callable[[str], float]) -> Difference:
    return share_difference(
        [measure(pair.candidate.output) - measure(pair.reference.output) for pair in answered]
    )


def _length(answered: Sequence[Pair], settings: PromotionSettings) -> Iterator[GateResult]:
    """The ratio of lengths against both limits; an empty answer counts as one character."""
    found = mean_difference(
        [
            log(max(1, len(pair.candidate.output))) - log(max(1, len(pair.reference.output)))
            for pair in answered
        ]
    )
    for gate in (
        at_most("length_ratio", found, log(settings.max_length_ratio)),
        at_least("length_ratio_floor", found, log(settings.min_length_ratio)),
    ):
        ratio = None if gate.value is None else exp(gate.value)
        limit = exp(gate.threshold or 0.0)
        yield gate.model_copy(
            update={"value": ratio, "threshold": limit, "detail": f"logarithm {found}"}
        )


def _by_slice(answered: Iterable[Pair]) -> dict[str, list[float]]:
    slices: defaultdict[str, list[Pair]] = defaultdict(list)
    for pair in answered:
        slices[pair.candidate.slice].append(pair)
    return {name: pass_gains(found) for name, found in sorted(slices.items())}


def _duels_by_slice(duels: Iterable[Duel]) -> dict[str, list[float]]:
    slices: defaultdict[str, list[float]] = defaultdict(list)
    for duel in duels:
        slices[duel.slice].append(duel.score - 0.5)
    return dict(sorted(slices.items()))


def _slice_vetoes(
    name: str, slices: dict[str, list[float]], settings: PromotionSettings
) -> Iterator[GateResult]:
    """FAIL for a slice that surely lost too much, at a level that the slices looked at share."""
    large = {s: values for s, values in slices.items() if len(values) >= settings.slice_min_prompts}
    if len(slices) < 2 or not large:
        return
    z = shared_z(len(large))
    for slice_, values in large.items():
        found = share_difference(values, z)
        yield unless_below(f"{name}/{slice_}", found, -settings.slice_max_drop)
