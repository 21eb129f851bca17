"""Judgments of anchors and labels into calibrations and core rows."""

from collections.abc import Sequence

import pytest
from pydantic import ValidationError

from consumers.calibration.calibrate import CalibrationSettings, calibrate
from consumers.calibration.core import core_preferences
from consumers.calibration.splits import Split, SplitShares, split_of
from schemas.events import Calibration, Comparison, Judgment
from schemas.records import (
    HumanWinner,
    PreferenceSource,
    Purpose,
    Verdict,
    VerifierWinner,
    Winner,
)
from tests.events import comparison, judgment, verified
from tests.preferences import labels_of
from trainer.gate_rules import CalibrationRule
from trainer.gate_settings import GateSettings

SETTINGS = CalibrationSettings()
DECIDE = CalibrationRule(settings=GateSettings(min_anchors=2))
PROMPTS = [f"prompt-{n}" for n in range(400)]


def prompts_of(split: Split, n: int) -> list[str]:
    return [prompt for prompt in PROMPTS if split_of(prompt, SETTINGS.shares) is split][:n]


def anchor(prompt_id: str, **changes: object) -> Comparison:
    a, b = verified(f"{prompt_id}-a"), verified(f"{prompt_id}-b")
    fields = {
        "event_id": f"comparison of {prompt_id}",
        "prompt_id": prompt_id,
        "purpose": Purpose.ANCHOR,
    }
    return comparison(a, b, **(fields | changes))


def judged(one: Comparison, winner: Winner, **changes: object) -> Judgment:
    fields = {"event_id": f"judgment of {one.event_id}", "prompt_id": one.prompt_id}
    return judgment(one, winner=winner, **(fields | changes))


def measured(
    verdicts: Sequence[tuple[HumanWinner, Winner]], split: Split = Split.CALIBRATION
) -> Calibration:
    """The calibration over all slices of these (human, judge) verdicts."""
    judgments, labels = [], []
    for prompt, (human, judge) in zip(prompts_of(split, len(verdicts)), verdicts, strict=True):
        one = anchor(prompt)
        judgments.append(judged(one, judge))
        labels += labels_of(one, human)
    whole = [one for one in calibrate(judgments, labels, SETTINGS, DECIDE) if one.slice == ""]
    assert len(whole) == 1
    return whole[0]


A, B = (HumanWinner.A, Winner.A), (HumanWinner.B, Winner.B)


def test_agreement_of_a_judge_with_people() -> None:
    result = measured([A] * 10 + [B] * 8 + [(HumanWinner.A, Winner.B)] * 2)
    assert (result.n, result.coverage, result.split) == (20, 1.0, "calibration")
    assert result.observed_agreement == 0.9
    assert result.kappa == pytest.approx(0.8)
    assert result.lower_bound is not None
    assert result.lower_bound < 0.8


def test_ties_and_conflicts_of_the_judge_are_abstentions() -> None:
    result = measured([A, B, (HumanWinner.A, Winner.TIE), (HumanWinner.B, Winner.CONFLICT)])
    assert (result.n, result.coverage, result.observed_agreement) == (2, 0.5, 1.0)


def test_a_parse_failure_counts_as_the_opposite_of_the_human_label() -> None:
    result = measured([A, B, (HumanWinner.A, Winner.INVALID), (HumanWinner.B, Winner.INVALID)])
    assert (result.n, result.coverage, result.parse_failures) == (4, 1.0, 2)
    assert result.observed_agreement == 0.5


def test_human_ties_are_no_anchors() -> None:
    assert measured([A, B, (HumanWinner.TIE, Winner.A), (HumanWinner.BOTH_BAD, Winner.B)]).n == 2


def test_the_confusion_matrix_shows_the_verdicts_as_given() -> None:
    result = measured([A, A, B, (HumanWinner.A, Winner.INVALID), (HumanWinner.B, Winner.TIE)])
    cells = {(cell.human, cell.judge): cell.n for cell in result.confusion if cell.n}
    assert cells == {("A", "A"): 2, ("B", "B"): 1, ("A", "INVALID"): 1, ("B", "TIE"): 1}


def test_one_class_only_is_inconclusive_and_has_no_kappa() -> None:
    result = measured([A] * 30)
    assert (result.kappa, result.lower_bound, result.verdict) == (None, None, Verdict.INCONCLUSIVE)


def test_the_holdout_is_measured_apart() -> None:
    assert measured([A, B], Split.HOLDOUT).split == "holdout"


def test_core_prompts_measure_nothing_and_become_human_rows() -> None:
    one = anchor(prompts_of(Split.CORE, 1)[0])
    labels = labels_of(one, HumanWinner.B)
    assert calibrate([judged(one, Winner.A)], labels, SETTINGS, DECIDE) == []
    (row,) = core_preferences([one, one], labels, SETTINGS)
    assert row.source is PreferenceSource.HUMAN
    assert row.chosen[0].content == one.b.candidate.output
    assert row.rejected[0].content == one.a.candidate.output
    assert set(row.source_ids) == {one.event_id, *(each.event_id for each in labels)}


@pytest.mark.parametrize("split", [Split.CALIBRATION, Split.HOLDOUT])
def test_anchors_that_measure_are_never_rows(split: Split) -> None:
    one = anchor(prompts_of(split, 1)[0])
    assert core_preferences([one], labels_of(one, HumanWinner.A), SETTINGS) == []


def test_only_anchors_are_measured() -> None:
    one = anchor(prompts_of(Split.CALIBRATION, 1)[0], purpose=Purpose.PRODUCTION)
    labels = labels_of(one, HumanWinner.A)
    assert calibrate([judged(one, Winner.A)], labels, SETTINGS, DECIDE) == []


def test_what_the_verifier_decided_does_not_measure_the_judge() -> None:
    prompt = prompts_of(Split.CALIBRATION, 1)[0]
    one = anchor(prompt, verifier_winner=VerifierWinner.A)
    labels = labels_of(one, HumanWinner.A)
    assert calibrate([judged(one, Winner.A)], labels, SETTINGS, DECIDE) == []
    # what sets the two apart may be the verifier's to see: the judge would seem to abstain
    crossed = judged(one, Winner.A, crosscheck_winner=Winner.TIE)
    assert calibrate([crossed], labels, SETTINGS, DECIDE) == []


def test_a_judgment_seen_twice_counts_once_and_gives_the_same_id() -> None:
    one = anchor(prompts_of(Split.CALIBRATION, 1)[0])
    judgments, labels = [judged(one, Winner.A)], labels_of(one, HumanWinner.A)
    once = calibrate(judgments, labels, SETTINGS, DECIDE)
    assert calibrate(judgments * 2, list(reversed(labels)) * 2, SETTINGS, DECIDE) == once


def test_judge_configurations_are_measured_apart() -> None:
    one = anchor(prompts_of(Split.CALIBRATION, 1)[0])
    judgments = [
        judged(one, Winner.A, judge_config_hash="old"),
        judged(one, Winner.B, event_id="other", judge_config_hash="new"),
    ]
    results = calibrate(judgments, labels_of(one, HumanWinner.A), SETTINGS, DECIDE)
    agreed = {r.judge_config_hash: r.observed_agreement for r in results if r.slice == ""}
    assert agreed == {"old": 1.0, "new": 0.0}


def five_of_each(said: Sequence[tuple[HumanWinner, Winner]]) -> Calibration:
    """As ``measured``, with five pairs of every prompt that all come out alike."""
    judgments, labels = [], []
    for prompt, (human, judge) in zip(prompts_of(Split.CALIBRATION, len(said)), said, strict=True):
        for copy in range(5):
            a, b = verified(f"{prompt}-a{copy}"), verified(f"{prompt}-b{copy}")
            one = comparison(
                a, b, event_id=f"{copy} of {prompt}", prompt_id=prompt, purpose=Purpose.ANCHOR
            )
            judgments.append(judged(one, judge))
            labels += labels_of(one, human)
    (whole,) = (o for o in calibrate(judgments, labels, SETTINGS, DECIDE) if o.slice == "")
    return whole


@pytest.mark.parametrize("wrong", [0, 2])
def test_pairs_of_one_prompt_narrow_nothing_down(wrong: int) -> None:
    said = [A] * 6 + [B] * 4 + [(HumanWinner.A, Winner.B)] * wrong
    alone, copied = measured(said), five_of_each(said)
    assert (copied.n, copied.prompts) == (5 * len(said), len(said))
    assert copied.kappa == pytest.approx(alone.kappa)
    assert copied.lower_bound is not None
    assert alone.lower_bound is not None
    assert copied.lower_bound <= alone.lower_bound + 1e-9


def test_each_slice_is_measured_too() -> None:
    first, second = prompts_of(Split.CALIBRATION, 2)
    anchors = [anchor(first, slice="joins"), anchor(second, slice="dates")]
    results = calibrate(
        [judged(one, Winner.A) for one in anchors],
        [each for one in anchors for each in labels_of(one, HumanWinner.A)],
        SETTINGS,
        DECIDE,
    )
    assert {result.slice: result.n for result in results} == {"": 2, "dates": 1, "joins": 1}


def test_a_judge_that_favours_length_has_a_positive_slope() -> None:
    judgments, labels = [], []
    for number, prompt in enumerate(prompts_of(Split.CALIBRATION, 20)):
        long_a = number % 2 == 0
        long, short = "long " * 20, "short"
        a = verified(f"{prompt}-a", output=long if long_a else short)
        b = verified(f"{prompt}-b", output=short if long_a else long)
        one = comparison(
            a, b, prompt_id=prompt, purpose=Purpose.ANCHOR, event_id=f"comparison of {prompt}"
        )
        judgments.append(judged(one, Winner.A if long_a else Winner.B, position_bias=0.5))
        labels += labels_of(one, HumanWinner.A if number % 4 < 2 else HumanWinner.B)
    whole = next(r for r in calibrate(judgments, labels, SETTINGS, DECIDE) if r.slice == "")
    assert whole.length_slope is not None
    assert whole.length_slope > 0.4
    assert whole.position_bias == pytest.approx(0.5)


def test_shares_must_sum_to_one() -> None:
    with pytest.raises(ValidationError, match=r"sum to 0\.9"):
        SplitShares(calibration=0.5, holdout=0.2, core=0.2)


@pytest.mark.parametrize("holdout", [0.0, 0.09, 0.21])
def test_the_holdout_is_a_tenth_to_a_fifth(holdout: float) -> None:
    with pytest.raises(ValidationError, match=r"holdout"):
        SplitShares(calibration=0.5, holdout=holdout, core=0.5 - holdout)


def test_prompts_are_split_by_the_shares() -> None:
    shares = SplitShares(calibration=0.6, holdout=0.15, core=0.25)
    splits = [split_of(f"p{n}", shares) for n in range(4000)]
    assert splits.count(Split.CALIBRATION) / 4000 == pytest.approx(0.6, abs=0.03)
    assert splits.count(Split.HOLDOUT) / 4000 == pytest.approx(0.15, abs=0.03)
