"""The canary: which rows it trains on, and what its two trials have to show."""

from collections.abc import Sequence

from schemas.records import GateResult, Outcome, Verdict
from streams.judge.tournament import Choice
from tests.events import candidate_set
from tests.preferences import human, preference
from trainer.best_of_n_trial import Tried
from trainer.evaluate import Answered
from trainer.promotion.canary import trial_gates, trial_rows
from trainer.promotion.canary_choice import best_of_n_gate, labelled_by
from trainer.promotion.pair import Duel, Pair, pairs
from trainer.promotion.settings import CanarySettings

SETTINGS = CanarySettings(min_rows=1, max_drop=0.1)
WON = [Duel(slice="s", score=float(n < 70)) for n in range(100)]
TIED = [Duel(slice="s", score=0.5) for _ in range(100)]
LOST = [Duel(slice="s", score=float(n >= 70)) for n in range(100)]


def answers(*failed: int) -> list[Answered]:
    return [
        Answered(
            prompt_id=f"p{n}",
            slice="s",
            output="x",
            outcome=Outcome.FAILED if n in failed else Outcome.PASSED,
        )
        for n in range(100)
    ]


def verdicts(
    judged: list[Duel] | None, *, candidate: Sequence[int] = (), reference: Sequence[int] = ()
) -> list[Verdict]:
    """Of the checks and of the judge; the numbers are prompts that a policy fails on."""
    both = pairs(answers(*candidate), answers(*reference))
    return [gate.verdict for gate in trial_gates(both, judged, SETTINGS)]


def test_it_trains_on_the_same_share_every_time() -> None:
    rows = [preference(f"r{n}") for n in range(50)]
    assert len(trial_rows(rows, SETTINGS)) == 5
    assert trial_rows(rows, SETTINGS) == trial_rows(list(reversed(rows)), SETTINGS)


def test_a_share_that_would_teach_nothing_is_made_larger() -> None:
    rows = [preference(f"r{n}") for n in range(50)]
    assert len(trial_rows(rows, CanarySettings(min_rows=20))) == 20
    assert len(trial_rows(rows, CanarySettings(min_rows=1000))) == 50


def test_the_trained_one_must_win_before_the_judge_or_by_the_checks() -> None:
    assert verdicts(WON) == [Verdict.PASS, Verdict.PASS]
    assert verdicts(TIED) == [Verdict.PASS, Verdict.INCONCLUSIVE]
    assert verdicts(TIED, reference=range(20)) == [Verdict.PASS, Verdict.PASS]
    assert verdicts(None) == [Verdict.INCONCLUSIVE]
    assert verdicts(None, reference=range(20)) == [Verdict.PASS]


def test_what_one_of_them_gains_the_other_may_not_lose() -> None:
    assert verdicts(WON, candidate=range(20)) == [Verdict.FAIL, Verdict.PASS]
    assert verdicts(LOST, reference=range(20)) == [Verdict.PASS, Verdict.FAIL]
    # what may be chance is left to the gates after training
    assert verdicts(WON, candidate=range(12)) == [Verdict.PASS, Verdict.PASS]


def test_prompts_beyond_the_context_are_left_out_and_counted() -> None:
    silent = Answered(
        slice="s", output="", outcome=Outcome.UNDECIDED, unanswered="the prompt is too long"
    )
    asked = pairs(answers(), answers(*range(20)))
    found = trial_gates([*asked, Pair(candidate=silent, reference=silent)], None, SETTINGS)
    assert found[0].value == 0.2
    assert "1 by neither, left out; the first: the prompt is too long" in found[0].detail


def test_labelling_knew_more_where_its_checks_did() -> None:
    checked, blind = {"json_match": "PASS", "language": "PASS"}, {"language": "PASS"}
    knew = [preference(f"r{n}", chosen_checks=checked) for n in range(3)]
    others = [preference(f"b{n}", chosen_checks=blind) for n in range(2)]
    people = [human(f"h{n}") for n in range(9)]
    needs = frozenset({"json_match", "number_match"})
    assert labelled_by([*knew, *others, *people], needs)
    assert not labelled_by([*knew[:1], *others, *people], needs)
    assert not labelled_by(people, needs)


def tried(first: Outcome, other: Outcome, picked: int) -> Tried:
    choice = Choice(index=picked, points=(0.0, 0.0))
    return Tried(asked=candidate_set(), choice=choice, outcomes=(first, other))


RIGHT_TO_PICK = tried(Outcome.FAILED, Outcome.PASSED, 1)
WRONG_TO_PICK = tried(Outcome.PASSED, Outcome.FAILED, 1)
LEFT = tried(Outcome.FAILED, Outcome.PASSED, 0)
NO_ROOM = tried(Outcome.PASSED, Outcome.PASSED, 1)


def picked(found: Sequence[Tried]) -> GateResult:
    return best_of_n_gate(found, SETTINGS, "best of 2")


def test_what_the_judge_picks_must_be_better() -> None:
    assert picked([RIGHT_TO_PICK] * 20 + [NO_ROOM] * 80).verdict is Verdict.PASS
    unsure = picked([LEFT] * 20 + [NO_ROOM] * 80)
    assert (unsure.verdict, unsure.threshold) == (Verdict.INCONCLUSIVE, 0.0)
    worse = picked([LEFT] * 20 + [WRONG_TO_PICK] * 80)
    assert worse.verdict is Verdict.FAIL


def test_where_no_choice_could_be_better_it_must_not_be_worse() -> None:
    found = picked([NO_ROOM] * 100)
    assert (found.verdict, found.threshold) == (Verdict.PASS, -0.1)
    assert "the best choice could gain 0.000" in found.detail
    worse = picked([NO_ROOM] * 60 + [WRONG_TO_PICK] * 40)
    assert worse.verdict is Verdict.FAIL
