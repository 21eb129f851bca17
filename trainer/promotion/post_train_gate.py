"""The gates after training: may this policy serve in place of the reference? Pure.

Both answered the same prompts, so every number is a mean of paired differences. Fail closed:
PASS says that the candidate is surely no worse than the limits allow, FAIL that it surely is,
INCONCLUSIVE that nobody knows; only PASS promotes.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
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
from trainer.promotion.pair import Duel, Pair, comparable, unanswered
from trainer.promotion.repetition import repetition
from trainer.promotion.reward_hacking import hacking_gate
from trainer.promotion.settings import PromotionSettings

Rule = Callable[[str, Difference, float, str], GateResult]
"""Name, difference, floor and detail to a gate."""

_NO_KL = (
    "the two share no vocabulary, or no prompt left room for an answer; kl_prompts: 0 goes without"
)
_NO_ANCHORS = (
    "no anchor of the calibration split is left that was not trained on: measure more of them by "
    "`prefstream anchors`; anchor_prompts: 0 goes without"
)


def post_train_gates(
    answered: Sequence[Pair],
    duels: Sequence[Duel] | None,
    kl: Sequence[float | None] | None,
    settings: PromotionSettings,
) -> tuple[GateResult, ...]:
    """Every gate with its number.

    ``duels`` None: no judge was wanted; empty: there is nothing to judge. ``kl`` None: nobody asked
    for it; empty: it could not be estimated, and of a prompt that has None neither.
    """
    compared = comparable(answered)
    verifiers = verifier_gains(compared)
    gates = [
        prompts_gate("held_out", len(compared), settings.min_prompts, unanswered(answered)),
        at_least("accuracy", share_difference(pass_gains(compared)), -settings.max_drop),
        *_slice_vetoes("accuracy", _passes_by_slice(compared), share_difference, settings),
        *(
            at_least(f"verifier/{name}", share_difference(gains), -settings.max_drop)
            for name, gains in verifiers.items()
        ),
        at_most("refusals", _rise(compared, is_refusal), settings.max_refusal_rise),
        at_most("repetition", _rise(compared, repetition), settings.max_repetition_rise),
        *_length(compared, settings),
    ]
    if kl is not None:
        gates.append(_kl(kl, settings.max_kl))
    if duels is not None:
        wins = win_difference(duels)
        gates += [
            win_rate_gate(
                "win_rate",
                duels,
                settings.max_win_rate_drop,
                detail="" if duels else _NO_ANCHORS,
            ),
            *_slice_vetoes("win_rate", _scores_by_slice(duels), _beyond_half, settings),
            hacking_gate(wins, verifiers, settings.max_drop),
        ]
    return tuple(gates)


def prompts_gate(name: str, n: int, least: int, detail: str = "") -> GateResult:
    """Whether there are enough prompts for any answer at all."""
    missing = f"{least - n} more prompts are needed" if n < least else ""
    return GateResult(
        name=name,
        verdict=Verdict.INCONCLUSIVE if missing else Verdict.PASS,
        value=n,
        threshold=least,
        detail="; ".join(filter(None, (missing, detail))),
    )


def gone_without(name: str, why: str) -> GateResult:
    """What did not decide says so."""
    return GateResult(name=name, verdict=Verdict.PASS, detail=f"not run: {why}")


def win_difference(duels: Iterable[Duel]) -> Difference:
    """Win rate minus one half."""
    return _beyond_half([duel.score for duel in duels if duel.score is not None])


def _beyond_half(scores: Sequence[float], z: float | None = None) -> Difference:
    whole = share_difference([2 * score - 1 for score in scores], z)
    if whole.value is None or whole.low is None or whole.high is None:
        return whole
    return Difference(n=whole.n, value=whole.value / 2, low=whole.low / 2, high=whole.high / 2)


def win_rate_gate(
    name: str, duels: Sequence[Duel], max_drop: float, rule: Rule = at_least, detail: str = ""
) -> GateResult:
    """The judge's win rate against one half minus ``max_drop``; value and threshold are rates."""
    left_out = sum(duel.score is None for duel in duels)
    said = f"{left_out} of {len(duels)} prompts could not be judged" if left_out else detail
    wins = win_difference(duels)
    gate = rule(name, wins, -max_drop, "; ".join(filter(None, ("from one half", said))))
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

    A check that an earlier failure kept from running did not pass; of one that could not decide, or
    that no answer to the prompt is asked, nothing is known, and the pair is left out.
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
    found = {check.status for check in side.checks if check.name == name}
    stopped = CheckStatus.SKIP in found and side.outcome is Outcome.FAILED
    if CheckStatus.FAIL in found or stopped:
        return 0.0
    return 1.0 if found - {CheckStatus.SKIP} == {CheckStatus.PASS} else None


def _rise(answered: Sequence[Pair], measure: Callable[[str], float]) -> Difference:
    return share_difference(
        [measure(pair.candidate.output) - measure(pair.reference.output) for pair in answered]
    )


def _kl(found: Sequence[float | None], ceiling: float) -> GateResult:
    known = [value for value in found if value is not None]
    said = "nats a token" if known else _NO_KL
    if len(known) < len(found):
        said += f"; {len(found) - len(known)} of {len(found)} prompts left no room for an answer"
    return at_most("kl", mean_difference(known), ceiling, said)


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


def _passes_by_slice(answered: Iterable[Pair]) -> dict[str, list[float]]:
    slices: defaultdict[str, list[Pair]] = defaultdict(list)
    for pair in answered:
        slices[pair.candidate.slice].append(pair)
    return {name: pass_gains(found) for name, found in sorted(slices.items())}


def _scores_by_slice(duels: Iterable[Duel]) -> dict[str, list[float]]:
    slices: defaultdict[str, list[float]] = defaultdict(list)
    for duel in duels:
        if duel.score is not None:
            slices[duel.slice].append(duel.score)
    return dict(sorted(slices.items()))


def _slice_vetoes(
    name: str,
    slices: dict[str, list[float]],
    measure: Callable[[Sequence[float], float], Difference],
    settings: PromotionSettings,
) -> Iterator[GateResult]:
    """FAIL for a slice that surely lost too much, at a level that the slices looked at share."""
    large = {s: values for s, values in slices.items() if len(values) >= settings.slice_min_prompts}
    if len(slices) < 2 or not large:
        return
    z = shared_z(len(large))
    for slice_, values in large.items():
        yield unless_below(f"{name}/{slice_}", measure(values, z), -settings.slice_max_drop)
