"""The figures that the gate's rules are chosen by, at a small size and with a fixed seed."""

from bench.gate_acceptance import acceptance

TRIALS = 400


def test_a_bad_judge_gets_past_the_naive_gate_but_not_past_ours() -> None:
    looks = acceptance("10 looks at growing data", 0.65, TRIALS)
    tuned = acceptance("10 re-tuned judges", 0.65, TRIALS)
    assert looks.point > 0.15
    assert tuned.point > 0.30
    for found in (looks, tuned):
        assert found.lower_bound <= 0.02
        assert found.spent_and_holdout <= 0.005
        assert found.point >= found.lower_bound >= found.spent >= found.spent_and_holdout
        assert found.spent_and_holdout >= found.strict_and_holdout


def test_spending_keeps_ten_looks_at_a_judge_on_the_threshold_below_five_percent() -> None:
    found = acceptance("10 looks at growing data", 0.72, TRIALS)
    assert found.lower_bound > 0.10
    assert found.spent < 0.05


def test_a_good_judge_still_passes() -> None:
    assert acceptance("10 looks at growing data", 0.85, TRIALS).spent_and_holdout > 0.85


def test_the_same_seed_gives_the_same_figures() -> None:
    first = acceptance("10 re-tuned judges", 0.65, 20)
    assert acceptance("10 re-tuned judges", 0.65, 20) == first
    assert acceptance("10 re-tuned judges", 0.65, 20, seed=2).trials == 20
