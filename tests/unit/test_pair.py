from schemas.events import Comparison, Discard
from schemas.records import Outcome, VerifierWinner
from streams.pair import PairSettings, PairStage, choose_pairs, difference
from tests.events import verification, verified

PASSED, FAILED, UNDECIDED = Outcome.PASSED, Outcome.FAILED, Outcome.UNDECIDED


async def test_passed_against_failed_is_decided_for_the_passed_one() -> None:
    out = await PairStage(PairSettings())(
        verification(verified("bad", FAILED), verified("good", PASSED))
    )
    (made,) = out
    assert isinstance(made, Comparison)
    winner = made.a if made.verifier_winner is VerifierWinner.A else made.b
    assert made.verifier_winner is not VerifierWinner.NONE
    assert winner.candidate.completion_id == "good"
    assert made.source_ids == ("verification-1",)


def test_failed_is_paired_with_nothing_but_passed() -> None:
    assert choose_pairs([verified("x", FAILED), verified("y", FAILED)], 3) == []
    assert choose_pairs([verified("x", FAILED), verified("y", UNDECIDED)], 3) == []


async def test_passed_and_undecided_go_to_the_judge() -> None:
    (made,) = await PairStage(PairSettings())(
        verification(verified("x", PASSED), verified("y", UNDECIDED))
    )
    assert isinstance(made, Comparison)
    assert made.verifier_winner is VerifierWinner.NONE


def test_decided_pairs_come_first_then_the_most_different() -> None:
    candidates = [
        verified("p1", PASSED, "one two three four"),
        verified("p2", PASSED, "one two three five"),
        verified("p3", PASSED, "six seven eight nine"),
        verified("f", FAILED, "one two three six"),
    ]
    chosen = choose_pairs(candidates, 4)
    assert {second.candidate.completion_id for _, second in chosen[:3]} == {"f"}
    assert difference(chosen[3]) == 1.0


async def test_candidates_in_no_pair_are_discarded_by_name() -> None:
    settings = PairSettings(max_pairs_per_prompt=1)
    out = await PairStage(settings)(
        verification(verified("p", PASSED), verified("f1", FAILED), verified("f2", FAILED))
    )
    comparison, rest = out
    assert isinstance(comparison, Comparison)
    assert isinstance(rest, Discard)
    assert rest.reason == "not_paired"
    used = {comparison.a.candidate.completion_id, comparison.b.candidate.completion_id}
    assert used | set(rest.subject_ids) == {"p", "f1", "f2"}


async def test_a_set_without_survivor_is_discarded_as_such() -> None:
    (out,) = await PairStage(PairSettings())(
        verification(verified("x", FAILED), verified("y", FAILED))
    )
    assert isinstance(out, Discard)
    assert out.reason == "all_failed"
    assert out.subject_ids == ("x", "y")


async def test_one_candidate_is_discarded_not_lost() -> None:
    (out,) = await PairStage(PairSettings())(verification(verified("x", PASSED)))
    assert isinstance(out, Discard)
    assert out.reason == "not_paired"


async def test_equal_answers_are_never_compared() -> None:
    (out,) = await PairStage(PairSettings())(
        verification(verified("x", PASSED, "same"), verified("y", PASSED, "same\n"))
    )
    assert isinstance(out, Discard)


async def test_the_order_is_seeded_and_balanced() -> None:
    stage = PairStage(PairSettings())
    first = []
    for n in range(400):
        event = verification(
            verified(f"good-{n}", PASSED), verified(f"bad-{n}", FAILED), prompt_id=f"p{n}"
        )
        (made,) = await stage(event)
        assert (made,) == tuple(await stage(event))
        assert isinstance(made, Comparison)
        first.append(made.verifier_winner is VerifierWinner.A)
    assert 150 < sum(first) < 250  # five standard deviations around 200


async def test_the_order_does_not_depend_on_the_candidates_positions() -> None:
    stage = PairStage(PairSettings())
    x, y = verified("x", PASSED), verified("y", PASSED)
    (one,) = await stage(verification(x, y))
    (other,) = await stage(verification(y, x))
    assert isinstance(one, Comparison)
    assert isinstance(other, Comparison)
    assert (one.a, one.b) == (other.a, other.b)
