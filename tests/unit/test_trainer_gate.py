"""The gate fails closed."""

from datetime import timedelta

import pytest

from schemas.alpha_spending import spent_alpha
from schemas.records import GateResult, PreferenceSource, Verdict
from tests.events import NOON
from tests.preferences import calibration, human, preference
from trainer.gate import GateDecision, gate, label_sources
from trainer.gate_rules import worst
from trainer.gate_settings import GateSettings
from trainer.kappa_rule import anchors_to_settle

RLAIF = {PreferenceSource.RLAIF: ["jc"]}
NOW = NOON + timedelta(days=1)


def decide(*calibrations: object, settings: GateSettings | None = None) -> GateDecision:
    return gate(RLAIF, calibrations, settings or GateSettings(), NOW)  # type: ignore[arg-type]


def named(decision: GateDecision, name: str) -> GateResult:
    return next(result for result in decision.results if result.name == name)


def test_a_good_fresh_calibration_passes_with_every_number() -> None:
    decision = decide(calibration())
    assert decision.verdict is Verdict.PASS
    # 0.76 at 5 %; a first look may spend 3 %
    assert named(decision, "kappa").value == pytest.approx(0.7526, abs=1e-4)
    assert "kappa 0.8000" in named(decision, "kappa").detail
    assert "bounds 0.7600 and 0.8400; look 1" in named(decision, "kappa").detail
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
    # more anchors are a second look, which has less to spend
    second = anchors_to_settle(undecided, 0.72, spent_alpha(2))
    assert (
        f"about {(second or 0) - 200} more anchors ({second} in all)"
        in named(decide(undecided), "kappa").detail
    )
    assert anchors_to_settle(calibration(kappa=0.71), 0.72) is None


def test_each_look_at_new_data_sets_the_bar_higher() -> None:
    looks = [
        calibration(event_id=f"c{n}", occurred_at=NOON + timedelta(hours=n)) for n in range(10)
    ]
    lower = [named(decide(*looks[: n + 1]), "kappa").value for n in range(10)]
    assert lower == sorted(lower, reverse=True)  # type: ignore[type-var]
    assert "look 10 spends 0.0003" in named(decide(*looks), "kappa").detail
    assert named(decide(*looks[:1] * 5), "kappa").value == lower[0]


def test_judges_tried_before_cost_where_the_project_says_so() -> None:
    older = [
        calibration(event_id=f"j{n}", judge_config_hash=f"j{n}", occurred_at=NOON - timedelta(n))
        for n in range(1, 10)
    ]
    alone, tried = decide(calibration()), decide(*older, calibration())
    assert named(alone, "kappa").value == named(tried, "kappa").value
    assert next(one.value for one in tried.reported if one.name == "judges_tried") == 10
    strict = GateSettings(spend_over="looks_and_judges")
    assert named(decide(*older, calibration(), settings=strict), "kappa").verdict is (
        Verdict.INCONCLUSIVE
    )


def test_a_promoted_judge_is_demoted_only_below_the_lower_threshold() -> None:
    first = calibration()
    between = calibration(
        event_id="c2", occurred_at=NOON + timedelta(hours=1), kappa=0.77, lower_bound=0.71
    )
    below = calibration(
        event_id="c3", occurred_at=NOON + timedelta(hours=2), kappa=0.70, lower_bound=0.64
    )
    assert decide(between).verdict is Verdict.INCONCLUSIVE
    assert decide(first, between).verdict is Verdict.PASS
    assert "promoted before" in named(decide(first, between), "kappa").detail
    assert decide(first, between, below).verdict is Verdict.FAIL
    again = calibration(
        event_id="c4", occurred_at=NOON + timedelta(hours=3), kappa=0.77, lower_bound=0.71
    )
    assert decide(first, between, below, again).verdict is Verdict.INCONCLUSIVE


def test_too_few_anchors_promote_nobody() -> None:
    tiny = calibration(event_id="c0", n=50, occurred_at=NOON - timedelta(hours=1))
    between = calibration(kappa=0.77, lower_bound=0.71)
    assert decide(tiny, between).verdict is Verdict.INCONCLUSIVE


@pytest.mark.parametrize(
    ("changes", "verdict"),
    [
        ({"kappa": 0.75, "lower_bound": 0.66}, Verdict.PASS),
        ({"kappa": 0.75, "lower_bound": 0.59}, Verdict.INCONCLUSIVE),
        ({"kappa": 0.71, "lower_bound": 0.62, "upper_bound": 0.79}, Verdict.INCONCLUSIVE),
        ({"kappa": 0.50, "lower_bound": 0.38, "upper_bound": 0.60}, Verdict.FAIL),
        ({"kappa": None, "lower_bound": None, "upper_bound": None}, Verdict.INCONCLUSIVE),
        ({"n": 149, "kappa": 0.1, "lower_bound": 0.0, "upper_bound": 0.2}, Verdict.PASS),
    ],
)
def test_a_slice_with_enough_anchors_decides(changes: dict[str, object], verdict: Verdict) -> None:
    joins = calibration(**({"event_id": "s", "slice": "joins", "n": 160} | changes))
    assert decide(calibration(), joins).verdict is verdict


def test_slices_that_nobody_measured_go_to_people() -> None:
    joins = calibration(event_id="s", slice="joins", n=160)
    dates = calibration(event_id="t", slice="dates", n=20)
    decision = decide(calibration(), joins, dates)
    assert decision.verdict is Verdict.PASS
    assert decision.calibrated_slices == frozenset({"joins"})
    assert decision.people_slices == ("dates",)
    keep = decide(calibration(), joins, dates, settings=GateSettings(uncalibrated_slices="keep"))
    assert keep.calibrated_slices is None


def test_a_slice_that_is_the_whole_needs_no_more_than_the_whole() -> None:
    whole, only = calibration(n=120), calibration(event_id="s", slice="default", n=120)
    assert decide(whole, only).calibrated_slices == frozenset({"default"})


@pytest.mark.parametrize("name", ["position_bias", "length_slope"])
@pytest.mark.parametrize(
    ("value", "error", "verdict"),
    [
        (None, None, Verdict.PASS),
        (0.2, 0.1, Verdict.PASS),
        (1.1, 0.5, Verdict.INCONCLUSIVE),
        (-1.1, None, Verdict.INCONCLUSIVE),
        (1.5, 0.1, Verdict.FAIL),
        (-1.5, 0.1, Verdict.FAIL),
    ],
)
def test_biases_decide_where_they_are_measured(
    name: str, value: float | None, error: float | None, verdict: Verdict
) -> None:
    decision = decide(calibration(**{name: value, f"{name}_error": error}))
    assert decision.verdict is verdict
    assert (value is None) is any(one.name == name for one in decision.reported)


def test_attacks_decide_only_where_they_were_tried() -> None:
    unmeasured = decide(calibration())
    assert next(one for one in unmeasured.reported if one.name == "attack_success").detail == (
        "not measured"
    )
    for success, verdict in ((0.05, Verdict.PASS), (0.2, Verdict.FAIL)):
        decision = gate(RLAIF, [calibration()], GateSettings(), NOW, attack_success=success)
        assert named(decision, "attack_success").verdict is decision.verdict is verdict


def test_the_first_reading_of_the_holdout_counts() -> None:
    first = calibration(event_id="h1", split="holdout", kappa=0.5)
    later = calibration(
        event_id="h2", split="holdout", kappa=0.9, occurred_at=NOON + timedelta(hours=1)
    )
    assert named(decide(calibration(), later, first), "holdout_veto").value == 0.5


def test_a_holdout_of_one_class_is_no_pass_and_no_veto() -> None:
    undefined = {"kappa": None, "lower_bound": None, "upper_bound": None}
    decision = decide(calibration(), calibration(event_id="h", split="holdout", **undefined))
    assert decision.verdict is Verdict.PASS
    assert "holdout_veto" not in {result.name for result in decision.results}
    said = next(one for one in decision.reported if one.name == "holdout_veto")
    assert "undefined" in said.detail


def test_three_perfect_anchors_settle_nothing() -> None:
    perfect = calibration(
        n=3, kappa=1.0, standard_error=0.0, lower_bound=0.05, upper_bound=1.0, coverage=1.0
    )
    decision = decide(perfect)
    assert decision.verdict is Verdict.INCONCLUSIVE
    assert "97 more adjudicated anchors" in named(decision, "anchors").detail
    needed = anchors_to_settle(perfect, 0.72)
    assert needed is not None
    assert 10 < needed < 50


def test_a_judge_that_always_says_the_same_fails_once_there_are_anchors() -> None:
    constant = {"kappa": 0.0, "standard_error": 0.0, "observed_agreement": 0.5}
    few = calibration(n=120, lower_bound=-0.15, upper_bound=0.15, **constant)
    found = {one.name: one for one in decide(few).results}["kappa"]
    assert found.verdict is Verdict.FAIL
    assert found.value is not None
    # the first look spends less than 5 %, so its bound lies farther out
    assert -0.3 < found.value < -0.15


def test_without_hysteresis_a_judge_is_demoted_at_once() -> None:
    between = calibration(
        event_id="c2", occurred_at=NOON + timedelta(hours=1), kappa=0.77, lower_bound=0.71
    )
    strict = GateSettings(hysteresis=0)
    assert decide(calibration(), between, settings=strict).verdict is Verdict.FAIL


def test_nothing_passes_on_no_results() -> None:
    assert worst([]) is Verdict.INCONCLUSIVE
