"""The pure parts of the whole story: spread over seeds, cost at stated prices, targets."""

import pytest

from examples.harbor.full.cost import Labelling, Prices, bill
from examples.harbor.full.labelled import both, labels_per_pair
from examples.harbor.full.policies import Name
from examples.harbor.full.spread import Spread, spread
from examples.harbor.full.targets import Target, targets
from schemas.records import HumanWinner, LabelRole, Outcome
from tests.preferences import label
from trainer.evaluate import Answered, Evaluation, summarise

BOUGHT = Labelling(
    machine_pairs=1000,
    anchor_labels=100,
    core_labels=100,
    input_tokens=2_000_000,
    output_tokens=1_000_000,
)
PRICES = Prices(label_usd=0.5, input_million_usd=0.1, output_million_usd=0.8)


def evaluation(right: int, n: int = 10, length: int = 5) -> Evaluation:
    outcomes = [Outcome.PASSED] * right + [Outcome.FAILED] * (n - right)
    return summarise([Answered(slice="x", output="a" * length, outcome=one) for one in outcomes])


def a_spread(mean: float, length: float = 100.0) -> Spread:
    one = spread([evaluation(5)], [1.0])
    return one.model_copy(update={"mean": mean, "median_length": length})


def test_the_spread_is_over_seeds_and_the_interval_over_questions() -> None:
    one = spread([evaluation(6), evaluation(8), evaluation(7)], [2.0, 4.0, 3.0])
    assert (one.seeds, one.n) == (3, 10)
    assert one.mean == pytest.approx(0.7)
    assert one.deviation == pytest.approx(0.1)
    assert (one.least, one.most) == (0.6, 0.8)
    assert one.low == evaluation(7).accuracy.low
    assert one.train_seconds == 3.0


def test_one_seed_has_no_deviation() -> None:
    assert spread([evaluation(6)], [1.0]).deviation is None


def test_seeds_that_were_asked_other_questions_are_not_averaged() -> None:
    with pytest.raises(ValueError, match=r"\[10, 20\]"):
        spread([evaluation(6), evaluation(6, n=20)], [1.0, 1.0])


def test_the_bill_counts_anchors_once_core_rows_in_both_and_tokens_by_the_pair() -> None:
    cost = bill(BOUGHT, PRICES)
    assert cost.people_usd == 1050.0  # 1000 pairs, two labels each, and the core rows
    assert (cost.core_usd, cost.anchors_usd) == (50.0, 50.0)
    assert cost.machine_usd == pytest.approx(1.0)
    assert cost.ours_usd == pytest.approx(101.0)
    assert cost.saving == pytest.approx(1 - 101 / 1050)
    assert cost.marginal_saving == pytest.approx(1 - 0.001)


def test_the_target_is_met_from_the_named_number_of_pairs_on() -> None:
    cost = bill(BOUGHT, PRICES, target=0.95)
    n = cost.pairs_for_target
    assert n is not None
    assert cost.ours_at(n) <= 0.05 * cost.people_at(n)
    assert cost.ours_at(n - 1) > 0.05 * cost.people_at(n - 1)


def test_machines_dearer_than_people_never_meet_it() -> None:
    cost = bill(BOUGHT, Prices(output_million_usd=5000.0))
    assert cost.pairs_for_target is None
    assert cost.marginal_saving < 0


def test_no_pair_has_no_price() -> None:
    with pytest.raises(ValueError, match="nothing to price"):
        bill(BOUGHT.model_copy(update={"machine_pairs": 0}), PRICES)


def test_rounds_are_paid_together() -> None:
    assert both(BOUGHT, BOUGHT).machine_pairs == 2000
    assert both(BOUGHT, BOUGHT).labels_per_pair == 2.0


def test_a_third_person_is_paid_too() -> None:
    firsts = [label(name, HumanWinner.A) for name in ("ann", "bob")]
    assert labels_per_pair(firsts) == 2.0
    assert labels_per_pair([*firsts, label("eve", HumanWinner.A, role=LabelRole.ADJUDICATION)]) == 3


def test_targets_compare_means_and_lengths() -> None:
    policies = {
        Name.SFT: a_spread(0.70),
        Name.THUMBS: a_spread(0.50),
        Name.RLAIF_1: a_spread(0.80, length=75.0),
    }
    found = {one.title: one for one in targets(policies, [], bill(BOUGHT, PRICES))}
    assert found["production above thumbs"].met
    assert found["shorter than production"].value == pytest.approx(0.25)
    assert found["round 2 above round 1"].value is None
    assert not found["round 2 above round 1"].met


def test_at_most_is_met_from_below() -> None:
    assert Target(title="wrong", wanted=0.06, value=0.0, at_most=True).met
    assert not Target(title="wrong", wanted=0.06, value=0.07, at_most=True).met
