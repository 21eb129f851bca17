"""Whether another round may follow: the gap between judge and people, and why it ends."""

from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.records import Outcome, RunStatus, Verdict
from tests.events import NOON
from tests.promotions import run
from trainer.anchor_wins import AnchorWins, Stratum, wins_of
from trainer.evaluate import Answered, Evaluation, summarise
from trainer.rounds import RoundResult, why_stop, withheld
from trainer.rounds_plot import rounds_plot


def one(number: int, gap: float | None, error: float = 0.01, **changes: object) -> RoundResult:
    wins = None
    if gap is not None:
        wins = AnchorWins(n=200, judge=0.6 + gap, human=0.6, gap=gap, gap_error=error)
    return RoundResult(round=number, verdict=Verdict.PASS, wins=wins).model_copy(update=changes)


def test_before_the_first_round_nothing_stops() -> None:
    assert why_stop([]) is None


def test_a_gap_that_shrinks_lets_the_next_round_follow() -> None:
    assert why_stop([one(1, 0.10), one(2, 0.06)]) is None


def test_a_gap_that_grows_stops_and_names_both() -> None:
    said = why_stop([one(1, 0.05), one(2, 0.08)])
    assert said is not None
    assert "5.0% after round 1, 8.0% ± 1.0% after round 2" in said
    assert "judge 68.0%, people 60.0%" in said


def test_a_gap_that_stays_has_not_shrunk() -> None:
    assert why_stop([one(1, 0.05), one(2, 0.05)]) is not None


def test_a_gap_within_its_error_is_none() -> None:
    assert why_stop([one(1, 0.001), one(2, 0.02, error=0.03)]) is None


def test_one_round_has_nothing_to_shrink_from() -> None:
    assert why_stop([one(1, 0.3)]) is None


def test_a_refused_round_ends_it_with_the_gates_words() -> None:
    refused = one(2, None, verdict=Verdict.INCONCLUSIVE, refusal="kappa: INCONCLUSIVE 0.70")
    said = why_stop([one(1, 0.1), refused])
    assert said == "round 2 was not trained: kappa: INCONCLUSIVE 0.70"


def test_without_peoples_labels_no_round_follows() -> None:
    said = why_stop([one(1, None)])
    assert said is not None
    assert "label more of its anchor comparisons" in said


@pytest.mark.parametrize(
    ("n", "waiting", "enough"), [(12, 0, True), (12, 1, False), (50, 400, True), (0, 0, False)]
)
def test_all_comparisons_or_a_sample_of_fifty_are_enough(
    n: int, waiting: int, enough: bool
) -> None:
    wins = AnchorWins(n=0, waiting=waiting)
    if n:
        wins = AnchorWins(n=n, waiting=waiting, judge=0.5, human=0.5, gap=0.0, gap_error=0.0)
    result = one(1, None, wins=wins)
    assert result.waits is not enough
    assert (why_stop([result]) is None) is enough


def evaluated(right: int, n: int = 400) -> Evaluation:
    outcomes = [Outcome.PASSED] * right + [Outcome.FAILED] * (n - right)
    return summarise([Answered(slice="x", output="a", outcome=one) for one in outcomes])


def test_accuracy_that_falls_while_the_judge_is_content_is_hacking() -> None:
    before = one(1, 0.0, evaluation=evaluated(360))
    said = why_stop([before, one(2, 0.0, evaluation=evaluated(280))])
    assert said is not None
    assert "from 90.0% to 70.0%" in said
    assert "reward hacking; go back to the policy of round 1" in said


def test_accuracy_below_that_from_before_the_first_round_is_hacking_too() -> None:
    start, fell = evaluated(360), evaluated(280)
    said = why_stop([one(1, 0.0, before=start, evaluation=fell)])
    assert said is not None
    assert "from 90.0% to 70.0% by round 1" in said
    assert "go back to the policy from before the first round" in said
    assert why_stop([one(1, 0.0, before=fell, evaluation=start)]) is None


def test_accuracy_that_falls_little_by_little_is_hacking_at_last() -> None:
    rights = (360, 352, 344, 330)
    results = [one(n, 0.0, evaluation=evaluated(right)) for n, right in enumerate(rights, 1)]
    assert why_stop(results[:3]) is None
    said = why_stop(results)
    assert said is not None
    assert "from 90.0% to 82.5% by round 4" in said


def test_a_fall_that_may_be_chance_does_not_stop() -> None:
    assert (
        why_stop([one(1, 0.0, evaluation=evaluated(360)), one(2, 0.0, evaluation=evaluated(352))])
        is None
    )


def test_a_policy_that_speaks_for_hacking_is_withheld_once_with_the_number() -> None:
    results = [
        one(1, 0.0, run_id="first-run-id", evaluation=evaluated(360)),
        one(2, 0.0, run_id="second-run-id", evaluation=evaluated(280)),
    ]
    runs = [run("first"), run("second"), run("second", RunStatus.EVALUATED)]
    found = withheld(results, runs, NOON)
    assert found is not None
    assert (found.run_id, found.status) == ("second-run-id", RunStatus.WITHHELD)
    (gate,) = found.gates
    assert (gate.name, gate.verdict) == ("reward_hacking", Verdict.FAIL)
    assert gate.value == pytest.approx(-0.2)
    assert withheld(results, [*runs, found], NOON) is None


def test_a_gap_that_grew_withholds_the_policy_too() -> None:
    results = [one(1, 0.05), one(2, 0.08, run_id="second-run-id")]
    found = withheld(results, [run("second")], NOON)
    assert found is not None
    assert [gate.name for gate in found.gates] == ["judge_human_gap"]


@pytest.mark.parametrize(
    "results", [[], [one(1, 0.3)], [one(1, 0.1), one(2, 0.05)], [one(1, 0.1), one(2, None)]]
)
def test_nothing_measured_against_it_withholds_nothing(results: list[RoundResult]) -> None:
    results = [result.model_copy(update={"run_id": "second-run-id"}) for result in results]
    assert withheld(results, [run("second")], NOON) is None


def test_a_round_that_waits_for_people_is_not_drawn_as_one_that_never_won() -> None:
    waits = one(2, None, wins=AnchorWins(n=0, waiting=9))
    alone, beside = rounds_plot([one(1, 0.1)]), rounds_plot([one(1, 0.1), waits])
    markers = [plot.count("<use ") for plot in (alone, beside)]
    # one more tick of the axis, and no point
    assert markers[1] == markers[0] + 1


def whole(scores: list[tuple[float, float]]) -> Stratum:
    """All of one kind, all decided by people."""
    return Stratum(size=len(scores), scores=scores)


def test_nothing_compared_has_no_win_rate() -> None:
    assert wins_of([]) == AnchorWins(n=0)


def test_a_single_comparison_has_a_gap_and_no_error() -> None:
    wins = wins_of([whole([(1.0, 0.0)])])
    assert (wins.gap, wins.gap_error, wins.gap_is_real) == (1.0, None, False)


def test_the_gap_is_of_means_and_errors_that_cancel_out_leave_none() -> None:
    wins = wins_of([whole([(1.0, 0.0), (0.0, 1.0), (0.5, 0.5)])])
    assert (wins.judge, wins.human, wins.gap) == (0.5, 0.5, 0.0)
    # (1 + 1 + 0 + 1) / 5 is the variance, with a comparison more of each kind of half a weight
    assert wins.gap_error == pytest.approx(1.96 * (0.6 / 5) ** 0.5, rel=1e-4)


@given(st.lists(st.tuples(*[st.sampled_from((0.0, 0.5, 1.0))] * 2), min_size=2, max_size=40))
def test_a_judge_who_agrees_with_people_everywhere_has_no_gap(
    scores: list[tuple[float, float]],
) -> None:
    wins = wins_of([whole([(human, human) for _, human in scores])])
    assert wins.gap == 0.0
    assert not wins.gap_is_real


def test_a_hundred_without_a_difference_may_hide_one() -> None:
    agreed = wins_of([whole([(1.0, 1.0)] * 100)])
    assert agreed.gap == 0.0
    assert agreed.gap_error == pytest.approx(1.96 / 102, rel=1e-4)


@given(*[st.lists(st.tuples(*[st.sampled_from((0.0, 0.5, 1.0))] * 2), min_size=2, max_size=40)] * 2)
def test_where_people_decided_everything_kinds_change_no_share(
    some: list[tuple[float, float]], others: list[tuple[float, float]]
) -> None:
    apart, together = wins_of([whole(some), whole(others)]), wins_of([whole(some + others)])
    assert apart.n == together.n
    assert apart.judge == pytest.approx(together.judge)
    assert apart.human == pytest.approx(together.human)
    assert apart.gap == pytest.approx(together.gap)


def test_the_interval_of_a_sample_covers_the_gap_as_often_as_it_says() -> None:
    """A judge errs in 2 % of what verifiers decided and 30 % of the rest, always for the policy."""
    draw = Random(7)
    truth = 0.75 * 0.02 + 0.25 * 0.3

    def stratum(size: int, labelled: int, error: float) -> Stratum:
        scores = [(1.0, 0.0 if draw.random() < error else 1.0) for _ in range(labelled)]
        return Stratum(size=size, scores=scores)

    covered = 0
    for _ in range(1000):
        judged = sum(draw.random() < 0.25 for _ in range(400))
        wins = wins_of([stratum(400 - judged, 100, 0.02), stratum(judged, min(judged, 100), 0.3)])
        assert wins.gap is not None
        assert wins.gap_error is not None
        covered += abs(wins.gap - truth) <= wins.gap_error
    assert 940 <= covered <= 985
