"""Best-of-N by the labelling judge, and whether it beats a single sample."""

from collections.abc import Sequence
from pathlib import Path

import pytest
from scipy.stats import binomtest

from schemas.errors import Poison
from schemas.events import CandidateSet, Judgment
from schemas.records import (
    Expectation,
    ExpectationKind,
    Message,
    Outcome,
    Purpose,
    VerifiedCandidate,
    Winner,
)
from streams.judge.judges import Judges
from streams.judge.member import Member
from streams.judge.settings import JudgeSettings
from streams.judge.stage import JudgeStage
from streams.judge.tournament import Choice, Tournament, choice
from streams.verify.settings import VerifySettings
from streams.verify.stage import VerifyStage
from tests.events import candidate, candidate_set, comparison, judgment
from tests.unit.judge_case import RUBRIC, ReadingModel
from trainer.best_of_n_trial import ByReward, Tried, best_of_n_trial, trial_report


def met(a: str, b: str, winner: Winner, margin: float | None = 1.0) -> Judgment:
    sides = (
        VerifiedCandidate(candidate=candidate(name), outcome=Outcome.UNDECIDED) for name in (a, b)
    )
    return judgment(comparison(*sides), winner=winner, margin=margin)


def test_the_one_that_beats_most_is_chosen() -> None:
    found = choice(
        "xyz",
        [met("x", "y", Winner.B), met("x", "z", Winner.A), met("z", "y", Winner.B)],
    )
    assert (found.index, found.points) == (1, (1.0, 2.0, 0.0))


def test_without_a_winner_both_have_half_a_point_and_margins_decide() -> None:
    found = choice("xy", [met("x", "y", Winner.CONFLICT, -0.2)])
    assert (found.index, found.points, found.undecided) == (1, (0.5, 0.5), 1)
    assert choice("xy", [met("x", "y", Winner.INVALID, None)]).index == 0


def test_who_meets_nobody_is_chosen_only_alone() -> None:
    assert choice("x", []).index == 0
    assert choice("xyz", [met("y", "z", Winner.B)]).index == 2


def the_set(*outputs: str, gold: str | None = None) -> CandidateSet:
    expectations = (
        (Expectation(kind=ExpectationKind.NUMERIC, spec=gold),) if gold is not None else ()
    )
    candidates = (candidate(f"c{n}", output) for n, output in enumerate(outputs))
    return candidate_set(*candidates, purpose=Purpose.CANARY, expectations=expectations)


def tournament(model: ReadingModel, verify: VerifyStage, *, expecting: bool = False) -> Tournament:
    settings = JudgeSettings(model="reading-model", rubric=RUBRIC.ref)
    judges = Judges([Member(settings, RUBRIC, model)])
    return Tournament(verify, JudgeStage(settings, judges), RUBRIC.id, expecting=expecting)


async def test_each_meets_each_in_both_orders_and_the_good_one_wins(tmp_path: Path) -> None:
    model, verify = ReadingModel(), VerifyStage(VerifySettings(), tmp_path)
    try:
        found = await tournament(model, verify).choose(the_set("bad", "worse", "good", "poor"))
    finally:
        await verify.aclose()
    assert found.index == 2
    assert found.points[2] == 3.0
    assert len(found.judgments) == 6
    assert len(model.requests) == 12


async def test_what_is_expected_decides_nothing_before_the_choice(tmp_path: Path) -> None:
    verify = VerifyStage(VerifySettings(), tmp_path)
    try:
        asked = the_set("The answer is 12", "The good answer is 13", gold="12")
        tried = await best_of_n_trial([asked], tournament(ReadingModel(), verify), verify)
    finally:
        await verify.aclose()
    (one,) = tried
    # the judge likes the second, which the verifier, who knows the number, does not let pass
    assert one.choice.index == 1
    assert [one.passes(n) for n in range(2)] == [True, False]
    report = trial_report(tried)
    assert (report.single.passed, report.best.passed, report.any.passed) == (1, 0, 1)
    assert (report.only_best, report.only_single, report.beats) == (0, 1, False)


async def test_where_labelling_knew_what_is_expected_so_does_the_choice(tmp_path: Path) -> None:
    verify = VerifyStage(VerifySettings(), tmp_path)
    try:
        asked = the_set("The answer is 12", "The good answer is 13", gold="12")
        found = await tournament(ReadingModel(), verify, expecting=True).choose(asked)
        needs = verify.check_names(asked.expectations) - verify.check_names(())
    finally:
        await verify.aclose()
    assert found.index == 0
    assert needs == {"number_match"}


class Scores:
    """A reward model that likes long answers, or can read none."""

    def __init__(self, *, reads: bool = True) -> None:
        self._reads = reads

    def scores(self, chats: Sequence[Sequence[Message]]) -> list[float | None]:
        return [float(len(chat[-1].content)) if self._reads else None for chat in chats]


async def test_pointwise_the_highest_score_is_chosen() -> None:
    found = await ByReward(Scores()).choose(the_set("a", "abc", "ab"))
    assert (found.index, found.points) == (1, (1.0, 3.0, 2.0))


async def test_a_prompt_that_cannot_be_scored_is_left_out_and_told(tmp_path: Path) -> None:
    verify, told = VerifyStage(VerifySettings(), tmp_path), list[Poison | None]()
    try:
        chooser = ByReward(Scores(reads=False))
        assert await best_of_n_trial([the_set("a", "b")], chooser, verify, told.append) == []
    finally:
        await verify.aclose()
    assert [type(one) for one in told] == [Poison]


def tried(single: bool, best: bool) -> Tried:
    passed = {True: Outcome.PASSED, False: Outcome.FAILED}
    return Tried(
        asked=the_set("x", "y"),
        choice=Choice(index=1, points=(0.0, 1.0)),
        outcomes=(passed[single], passed[best]),
    )


@pytest.mark.parametrize(("gained", "lost", "beats"), [(5, 0, True), (4, 0, False), (9, 3, False)])
def test_the_trial_is_decided_by_the_prompts_on_which_they_differ(
    gained: int, lost: int, beats: bool
) -> None:
    rows = [tried(False, True)] * gained + [tried(True, False)] * lost + [tried(True, True)] * 50
    report = trial_report(rows)
    expected = binomtest(gained, gained + lost, 0.5, alternative="greater").pvalue
    assert report.p_value == pytest.approx(expected)
    assert report.beats is beats


def test_nothing_differs_and_nothing_is_tried() -> None:
    assert trial_report([tried(True, True)]).p_value == 1.0
    with pytest.raises(ValueError, match="at least one"):
        trial_report([])
