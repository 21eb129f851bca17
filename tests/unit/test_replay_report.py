"""Old and new verdicts side by side: what `rejudge` and `rubric diff` count."""

import pytest

from consumers.calibration.splits import Split
from consumers.rejudge import newest, old_verdicts
from consumers.replay_report import Replayed, replay_report
from schemas.events import Judgment, Label
from schemas.records import Order, VerifierWinner, Winner
from tests.events import comparison, judgment, verified
from tests.unit.judge_case import opinion
from tests.unit.test_filter_effects import PROMPTS, SHARES, anchor

NEW = "new judge"


def pair(name: str, slice_: str, old: Winner, new: Winner) -> Replayed:
    judged = comparison(verified("a"), verified("b"), event_id=name, slice=slice_)
    before = judgment(judged, event_id=f"{name}-old", winner=old)
    return Replayed(
        old=before, new=before.model_copy(update={"winner": new, "judge_config_hash": NEW})
    )


def test_flips_are_counted_by_slice_and_kind() -> None:
    report = replay_report(
        [
            pair("1", "x", Winner.A, Winner.A),
            pair("2", "x", Winner.A, Winner.B),
            pair("3", "x", Winner.B, Winner.TIE),
            pair("4", "y", Winner.CONFLICT, Winner.A),
            pair("5", "y", Winner.TIE, Winner.CONFLICT),
        ],
        [],
        SHARES,
    )
    x, y = report.slices
    assert (x.slice, x.n, x.same, x.reversed, x.lost) == ("x", 3, 1, 1, 1)
    assert (y.slice, y.n, y.same, y.gained, y.other) == ("y", 2, 0, 1, 1)
    assert [flip.comparison_id for flip in report.flips] == ["2", "3", "4", "5"]


def test_tokens_and_cost_are_summed_and_unknown_ones_stay_unknown() -> None:
    def answered(one: Judgment, **numbers: float | int | None) -> Judgment:
        said = opinion(Order.AB, (0.7, 0.2, 0.1)).model_copy(update=numbers)
        return one.model_copy(update={"opinions": (said, said)})

    both = pair("1", "x", Winner.A, Winner.A)
    replayed = Replayed(
        old=answered(both.old, input_tokens=100, output_tokens=3, cost_usd=0.25),
        new=answered(both.new, input_tokens=80, output_tokens=None),
    )
    report = replay_report([replayed], [], SHARES)
    assert report.old_usage.calls == report.new_usage.calls == 2
    assert (report.old_usage.input_tokens, report.old_usage.cost_usd) == (200, 0.5)
    assert (report.new_usage.input_tokens, report.new_usage.output_tokens) == (160, None)


@pytest.mark.parametrize(("split", "n"), [(Split.CALIBRATION, 2), (Split.HOLDOUT, 0)])
def test_both_judges_are_held_against_people_but_never_on_the_holdout(split: Split, n: int) -> None:
    replayed: list[Replayed] = []
    labels: list[Label] = []
    for prompt, new in zip(PROMPTS[split][:2], (Winner.A, Winner.B), strict=True):
        old, given = anchor(prompt, Winner.A, 2.0)
        replayed.append(Replayed(old=old, new=old.model_copy(update={"winner": new})))
        labels += given
    report = replay_report(replayed, labels, SHARES)
    assert (report.old_agreement.accuracy.n, report.old_agreement.accuracy.right) == (n, n)
    assert report.new_agreement.accuracy.n == n
    assert report.new_agreement.accuracy.right == n // 2


def test_the_last_verdict_of_a_comparison_is_the_old_one() -> None:
    first = pair("1", "x", Winner.A, Winner.B)
    assert old_verdicts([first.old, first.new]) == [first.new]
    assert old_verdicts([first.old, first.new], judge="jc") == [first.old]


def test_what_a_verifier_decided_is_not_judged_again() -> None:
    decided = comparison(verified("a"), verified("b"), verifier_winner=VerifierWinner.A)
    assert old_verdicts([judgment(decided)]) == []


def test_the_newest_are_those_with_the_latest_event_time() -> None:
    events = [judgment(event_id=f"j{n}") for n in range(4)]
    assert newest(reversed(events), 2) == events[2:]
