"""The rules that a judgment must pass to become a preference: pure, named, each with a reason."""

import math
from collections.abc import Callable, Mapping
from typing import Literal

from pydantic import Field, PositiveFloat
from rapidfuzz.distance import Levenshtein

from schemas.events import Comparison, Judgment
from schemas.records import (
    CheckStatus,
    Outcome,
    Purpose,
    Record,
    VerifiedCandidate,
    VerifierWinner,
    Winner,
)

# Change it with any change of a rule, so that the events' config_hash tells them apart.
RULES_VERSION = "2"

Reason = Literal[
    "not_for_training",
    "invalid",
    "tie",
    "position_conflict",
    "near_tie",
    "low_margin",
    "low_agreement",
    "verifier_judge_conflict",
    "failed_chosen",
    "length_skew",
    "length_outlier",
    "duplicate",
    "near_identical",
]


class FilterSettings(Record):
    """The ``filter`` section of pipeline.yaml. Margins are |m| in log-odds."""

    near_tie_margin: float = Field(default=0.1, ge=0)
    # The margin that the first production rubric was tuned with; below it labels were coin flips.
    min_margin: float = Field(default=0.6, ge=0)
    min_agreement: float = Field(default=0.5, ge=0, le=1)
    # log of chosen length over rejected length; 2.3 is ten times as long.
    max_log_length_ratio: float = Field(default=2.3, gt=0)
    # Spread of log(length A / length B) over the workload's comparisons, as `prefstream filter
    # explain` fits it: a stage sees one event and cannot know it. By workload where there are
    # several; None, or a workload that is not named: no length_outlier.
    length_sd: PositiveFloat | Mapping[str, PositiveFloat] | None = None
    max_length_z: float = Field(default=3.0, gt=0)
    # 1 - edit distance in words over the words of the longer answer.
    max_similarity: float = Field(default=0.98, gt=0, le=1)
    # Checks that both answers pass only with the same result (sql_result_match, say). Named here,
    # they make such answers near-identical; leave it empty where the judge compares the prose.
    same_result_checks: tuple[str, ...] = ()


Rule = Callable[[Judgment, FilterSettings], Reason | None]


def not_for_training(judgment: Judgment, _: FilterSettings) -> Reason | None:
    """Anchors, probes, cross-checks, golden sets and canaries measure; they never train."""
    if judgment.comparison.purpose is Purpose.PRODUCTION:
        return None
    return "not_for_training"


def invalid(judgment: Judgment, _: FilterSettings) -> Reason | None:
    """The judge's answer could not be read as a verdict."""
    return "invalid" if judgment.winner is Winner.INVALID else None


def tie(judgment: Judgment, _: FilterSettings) -> Reason | None:
    """The judge called it a tie in both orders."""
    return "tie" if judgment.winner is Winner.TIE else None


def position_conflict(judgment: Judgment, _: FilterSettings) -> Reason | None:
    """The order decided more than the candidates did (|b| > |m|), or a panel is divided."""
    return "position_conflict" if judgment.winner is Winner.CONFLICT else None


def near_tie(judgment: Judgment, settings: FilterSettings) -> Reason | None:
    """|m| is so small that the verdict is noise; skipped where the judge has no margin."""
    return _margin_below(judgment, settings.near_tie_margin, "near_tie")


def low_margin(judgment: Judgment, settings: FilterSettings) -> Reason | None:
    """|m| is below what training labels need; skipped where the judge has no margin."""
    return _margin_below(judgment, settings.min_margin, "low_margin")


def low_agreement(judgment: Judgment, settings: FilterSettings) -> Reason | None:
    """Too few of the panel's votes stand behind the winner."""
    if judgment.agreement is None or judgment.agreement >= settings.min_agreement:
        return None
    return "low_agreement"


def verifier_judge_conflict(judgment: Judgment, _: FilterSettings) -> Reason | None:
    """A cross-checked pair on which the judge prefers what the verifier failed."""
    decided = judgment.comparison.verifier_winner
    opposite = {VerifierWinner.A: Winner.B, VerifierWinner.B: Winner.A}.get(decided)
    crossed = opposite is not None and opposite in (judgment.crosscheck_winner, judgment.winner)
    return "verifier_judge_conflict" if crossed else None


def failed_chosen(judgment: Judgment, _: FilterSettings) -> Reason | None:
    """A failed answer may never be the chosen one, whoever preferred it."""
    if judgment.winner not in (Winner.A, Winner.B):
        return None
    return "failed_chosen" if sides(judgment)[0].outcome is Outcome.FAILED else None


def length_skew(judgment: Judgment, settings: FilterSettings) -> Reason | None:
    """The chosen answer of a judged pair is longer by more than the set ratio.

    Verifier-decided pairs pass: there execution decided, not taste for length.
    """
    if judgment.winner not in (Winner.A, Winner.B) or verifier_decided(judgment):
        return None
    ratio = log_length_ratio(judgment)
    return "length_skew" if ratio > settings.max_log_length_ratio else None


def length_outlier(judgment: Judgment, settings: FilterSettings) -> Reason | None:
    """The chosen answer of a judged pair is longer by more than is usual in the workload.

    In standard deviations; skipped where the spread was not fitted. See ``length_skew``.
    """
    if judgment.winner not in (Winner.A, Winner.B) or verifier_decided(judgment):
        return None
    z = length_z(judgment, settings)
    return "length_outlier" if z is not None and z > settings.max_length_z else None


def duplicate(judgment: Judgment, _: FilterSettings) -> Reason | None:
    """Both answers are the same text but for white space."""
    first, second = _outputs(judgment.comparison)
    return "duplicate" if first.split() == second.split() else None


def near_identical(judgment: Judgment, settings: FilterSettings) -> Reason | None:
    """The answers differ in so few words, or come to results so equal, that nothing is learnt.

    Verifier-decided pairs pass: one wrong join key is just such a difference, and the lesson.
    """
    if verifier_decided(judgment):
        return None
    same = same_result(judgment, settings) or is_similar(judgment, settings.max_similarity)
    return "near_identical" if same else None


RULES: tuple[Rule, ...] = (
    not_for_training,
    invalid,
    tie,
    position_conflict,
    near_tie,
    low_margin,
    low_agreement,
    verifier_judge_conflict,
    failed_chosen,
    length_skew,
    length_outlier,
    duplicate,
    near_identical,
)


def reasons_against(judgment: Judgment, settings: FilterSettings) -> list[Reason]:
    """Every rule's reason against the judgment, in the rules' order; empty means preferred."""
    return [reason for rule in RULES if (reason := rule(judgment, settings)) is not None]


def sides(judgment: Judgment) -> tuple[VerifiedCandidate, VerifiedCandidate]:
    """(chosen, rejected) of a judgment whose winner is A or B."""
    a, b = judgment.comparison.a, judgment.comparison.b
    return (a, b) if judgment.winner is Winner.A else (b, a)


def log_length_ratio(judgment: Judgment) -> float:
    """log(chosen length / rejected length) in characters; one is added to each."""
    chosen, rejected = sides(judgment)
    return math.log((len(chosen.candidate.output) + 1) / (len(rejected.candidate.output) + 1))


def length_z(judgment: Judgment, settings: FilterSettings) -> float | None:
    """``log_length_ratio`` in standard deviations; None where the spread was not fitted.

    Sides are drawn at random, so over comparisons the ratio's mean is zero, whoever wins.
    """
    sd = settings.length_sd
    if isinstance(sd, Mapping):
        sd = sd.get(judgment.workload_id)
    return None if sd is None else log_length_ratio(judgment) / sd


def is_similar(judgment: Judgment, max_similarity: float) -> bool:
    """Whether the share of words that need no edit is above ``max_similarity``.

    1 - Levenshtein distance / words of the longer answer. The cutoff bounds the time for long ones.
    """
    first, second = (text.split() for text in _outputs(judgment.comparison))
    cutoff = 1 - max_similarity
    distance = Levenshtein.normalized_distance(first, second, score_cutoff=cutoff)
    return distance < cutoff


def same_result(judgment: Judgment, settings: FilterSettings) -> bool:
    """Whether both answers passed one of ``same_result_checks``."""
    a, b = (
        {check.name for check in side.checks if check.status is CheckStatus.PASS}
        for side in (judgment.comparison.a, judgment.comparison.b)
    )
    return not a.isdisjoint(b.intersection(settings.same_result_checks))


def _outputs(comparison: Comparison) -> tuple[str, str]:
    return comparison.a.candidate.output, comparison.b.candidate.output


def verifier_decided(judgment: Judgment) -> bool:
    """Whether execution, not the judge, decided the comparison."""
    return judgment.comparison.verifier_winner is not VerifierWinner.NONE


def no_margin(judgment: Judgment) -> bool:
    """Whether a judge decided without probabilities, so that the margin rules are skipped."""
    return bool(judgment.opinions) and judgment.margin is None and not verifier_decided(judgment)


def _margin_below(judgment: Judgment, least: float, reason: Reason) -> Reason | None:
    if judgment.margin is None or abs(judgment.margin) >= least:
        return None
    return reason


def deciding_numbers(judgment: Judgment, settings: FilterSettings) -> dict[str, float]:
    """The numbers that the rules looked at, for the discard's record."""
    has_winner = judgment.winner in (Winner.A, Winner.B)
    known = {
        "margin": judgment.margin,
        "position_bias": judgment.position_bias,
        "agreement": judgment.agreement,
        "log_length_ratio": log_length_ratio(judgment) if has_winner else None,
        "length_z": length_z(judgment, settings) if has_winner else None,
        "margin_rules_skipped": 1.0 if no_margin(judgment) else None,
    }
    return {name: value for name, value in known.items() if value is not None}
