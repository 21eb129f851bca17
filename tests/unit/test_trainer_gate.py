"""The gate fails closed."""

from datetime import timedelta

import pytest

from schemas.records import GateResult, PreferenceSource, Verdict
from tests.events import NOON
from tests.preferences import calibration, human, preference
from trainer.gate import GateDecision, gate, label_sources
from trainer.gate_rules import GateSettings, anchors_to_settle, worst

RLAIF = {PreferenceSource.RLAIF: ["jc"]}
NOW = NOON + timedelta(days=1)


def decide(*calibrations: object, settings: GateSettings | None = None) -> GateDecision:
    return gate(RLAIF, calibrations, settings or GateSettings(), NOW)  # type: ignore[arg-type]


def named(decision: GateDecision, name: str) -> GateResult:
    return next(result for result in decision.results if result.name == name)


def test_a_good_fresh_calibration_passes_with_every_number() -> None:
    decision = decide(calibration())
    assert decision.verdict is Verdict.PASS
    assert named(decision, "kappa").value == 0.76
    assert "kappa 0.8000" in named(decision, "kappa").detail
    assert {result.name for result in decision.results} == {
        "age_days",
        "anchors",
        "kappa",
        "coverage",
    }


def test_no_calibration_at_all_is_no_training() -> None:
    assert decide().verdict is Verdict.INCONCLUSIVE


@pytest.mark.parametrize(
    "changes",
    [{"judge_config_hash": "another"}, {"split": "holdout"}, {"slice": "joins"}],
)
def test_another_judges_split_or_slice_does_not_count(changes: dict[str, str]) -> None:
    assert decide(calibration(**changes)).verdict is Verdict.INCONCLUSIVE


@pytest.mark.parametrize(
    ("changes", "gate_name", "verdict"),
    [
        ({"occurred_at": NOON - timedelta(days=40)}, "age_days", Verdict.INCONCLUSIVE),
        ({"n": 40}, "anchors", Verdict.INCONCLUSIVE),
        ({"lower_bound": 0.70}, "kappa", Verdict.INCONCLUSIVE),
        ({"kappa": 0.6, "lower_bound": 0.55, "upper_bound": 0.65}, "kappa", Verdict.FAIL),
        ({"kappa": None, "lower_bound": None, "upper_bound": None}, "kappa", Verdict.INCONCLUSIVE),
        ({"coverage": 0.84}, "coverage", Verdict.FAIL),
        ({"coverage": None}, "coverage", Verdict.INCONCLUSIVE),
    ],
)
def test_one_bad_number_is_enough(
    changes: dict[str, object], gate_name: str, verdict: Verdict
) -> None:
    decision = decide(calibration(**changes))
    assert decision.verdict is verdict
    assert named(decision, gate_name).verdict is verdict
    assert named(decision, gate_name).detail


def test_the_point_statistic_is_for_who_asks_for_it() -> None:
    lucky = calibration(lower_bound=0.66, kappa=0.73, upper_bound=0.79)
    assert decide(lucky).verdict is Verdict.INCONCLUSIVE
    assert decide(lucky, settings=GateSettings(statistic="point")).verdict is Verdict.PASS


def test_the_latest_calibration_counts() -> None:
    older = calibration(event_id="old", occurred_at=NOON - timedelta(days=2))
    worse = calibration(event_id="new", kappa=0.5, lower_bound=0.4, upper_bound=0.6)
    assert decide(older, worse).verdict is Verdict.FAIL
    assert decide(worse, older).verdict is Verdict.FAIL


def test_the_holdout_can_only_veto() -> None:
    bad = {"kappa": 0.5, "lower_bound": 0.4, "upper_bound": 0.6}
    good_holdout = calibration(event_id="h", split="holdout", n=150)
    bad_holdout = calibration(event_id="h", split="holdout", n=150, **bad)
    assert decide(calibration(), good_holdout).verdict is Verdict.PASS
    assert decide(calibration(), bad_holdout).verdict is Verdict.FAIL
    assert decide(calibration(**bad), good_holdout).verdict is Verdict.FAIL


def test_verifier_and_human_rows_need_no_judge() -> None:
    rows = [human("h"), preference("v", source=PreferenceSource.VERIFIER)]
    assert gate(label_sources(rows), [], GateSettings(), NOW).verdict is Verdict.PASS


def test_thumbs_are_refused() -> None:
    rows = [human("h"), preference("t", source=PreferenceSource.THUMBS)]
    decision = gate(label_sources(rows), [calibration()], GateSettings(), NOW)
    assert decision.verdict is Verdict.FAIL
    assert "--ungated" in decision.results[0].detail


def test_rows_of_two_judges_are_refused() -> None:
    rows = [preference("one"), preference("two", judge_config_hash="jc2")]
    calibrations = [calibration(), calibration(event_id="c2", judge_config_hash="jc2")]
    decision = gate(label_sources(rows), calibrations, GateSettings(), NOW)
    assert named(decision, "judge_config").verdict is Verdict.FAIL


def test_rows_whose_judge_is_unknown_are_refused() -> None:
    rows = [preference("one", judge_config_hash="")]
    decision = gate(label_sources(rows), [calibration()], GateSettings(), NOW)
    assert decision.verdict is Verdict.INCONCLUSIVE


def test_how_many_anchors_would_settle_it() -> None:
    undecided = calibration(n=200, kappa=0.78, lower_bound=0.70, upper_bound=0.84)
    needed = anchors_to_settle(undecided, 0.72)
    assert needed is not None
    assert 300 < needed < 800
    assert str(needed) in named(decide(undecided), "kappa").detail
    assert anchors_to_settle(calibration(kappa=0.71), 0.72) is None


def test_nothing_passes_on_no_results() -> None:
    assert worst([]) is Verdict.INCONCLUSIVE
