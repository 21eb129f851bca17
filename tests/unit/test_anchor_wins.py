"""Win rates on anchors: whose answer is whose, what counts half, and what does not count."""

import pytest

from schemas.events import Judgment
from schemas.records import (
    Candidate,
    HumanWinner,
    Purpose,
    VerifiedCandidate,
    VerifierWinner,
    Winner,
)
from tests.events import comparison, judgment, verified
from trainer.anchor_wins import WinRate, anchor_wins, judge_wins


def side(name: str, checkpoint: str) -> VerifiedCandidate:
    one = verified(name)
    candidate: Candidate = one.candidate.model_copy(update={"checkpoint": checkpoint})
    return one.model_copy(update={"candidate": candidate})


def judged(
    name: str, winner: Winner, a: str = "new", b: str = "old", **changes: object
) -> Judgment:
    fields = {"event_id": name, "purpose": Purpose.ANCHOR}
    compared = comparison(side(f"{name}-a", a), side(f"{name}-b", b), **(fields | changes))
    return judgment(compared, event_id=f"judgment of {name}", winner=winner)


def test_a_win_is_the_policys_whichever_side_it_stands_on() -> None:
    judgments = [judged("1", Winner.A), judged("2", Winner.B, a="old", b="new")]
    wins = anchor_wins(judgments, {"1": HumanWinner.A, "2": HumanWinner.A}, "new", ())
    assert (wins.n, wins.judge, wins.human, wins.gap) == (2, 1.0, 0.5, 0.5)


def test_ties_conflicts_and_both_bad_are_half_a_win() -> None:
    judgments = [judged("1", Winner.TIE), judged("2", Winner.CONFLICT)]
    wins = anchor_wins(judgments, {"1": HumanWinner.TIE, "2": HumanWinner.BOTH_BAD}, "new", ())
    assert (wins.judge, wins.human, wins.gap) == (0.5, 0.5, 0.0)


def test_what_could_not_be_parsed_counts_against_people() -> None:
    wins = anchor_wins([judged("1", Winner.INVALID)], {"1": HumanWinner.B}, "new", ())
    assert (wins.judge, wins.human) == (1.0, 0.0)


def test_only_decided_anchors_with_one_answer_of_the_policy_count() -> None:
    judgments = [
        judged("undecided", Winner.A),
        judged("both its own", Winner.A, b="new"),
        judged("of others", Winner.A, a="older"),
        judged("traffic", Winner.A, purpose=Purpose.PRODUCTION),
    ]
    people = {one.comparison.event_id: HumanWinner.A for one in judgments[1:]}
    asked = {one.comparison.event_id for one in judgments}
    wins = anchor_wins(judgments, people, "new", asked)
    assert (wins.n, wins.waiting) == (0, 1)


def test_what_people_were_not_asked_about_does_not_wait() -> None:
    judgments = [judged("asked", Winner.A), judged("not asked", Winner.A)]
    wins = anchor_wins(judgments, {"asked": HumanWinner.A}, "new", {"asked"})
    assert (wins.n, wins.waiting, wins.human) == (1, 0, 1.0)


def test_a_kind_that_people_saw_little_of_weighs_what_it_has() -> None:
    """Ten that a verifier decided, one of them labelled; two that the judge did, both labelled."""
    decided = [judged(f"v{n}", Winner.A, verifier_winner=VerifierWinner.A) for n in range(10)]
    judgments = [*decided, judged("j1", Winner.B), judged("j2", Winner.B)]
    people = {"v3": HumanWinner.A, "j1": HumanWinner.B, "j2": HumanWinner.A}
    wins = anchor_wins(judgments, people, "new", people)
    assert wins.judge == pytest.approx(10 / 12)
    assert wins.human == pytest.approx(11 / 12)
    assert wins.gap == pytest.approx(1 / 12)


def test_a_kind_that_nobody_looked_at_leaves_it_unknown() -> None:
    judgments = [
        judged("v", Winner.A, verifier_winner=VerifierWinner.A),
        *(judged(f"j{n}", Winner.A) for n in range(60)),
    ]
    people = {f"j{n}": HumanWinner.A for n in range(60)}
    wins = anchor_wins(judgments, people, "new", people)
    assert (wins.n, wins.gap, wins.enough) == (60, None, False)


def test_the_judge_alone_needs_no_people() -> None:
    rate = judge_wins([judged("1", Winner.A), judged("2", Winner.B)], "new")
    assert (rate.n, rate.value) == (2, 0.5)
    assert rate.error == pytest.approx(0.5)
    assert judge_wins([], "new") == WinRate(n=0)
