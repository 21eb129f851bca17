"""The gates after training: what passes, what is refused, and that doubt does not pass."""

from collections.abc import Sequence

import pytest

from schemas.records import Check, CheckStatus, GateResult, Outcome, Verdict
from trainer.evaluate import Answered
from trainer.promotion.difference import share_difference
from trainer.promotion.pair import Duel, Pair, pairs
from trainer.promotion.post_train_gate import post_train_gates
from trainer.promotion.repetition import repetition
from trainer.promotion.reward_hacking import hacking_gate
from trainer.promotion.settings import PromotionSettings

GOOD = "the answer is twelve"


def answered(right: bool, *, n: int = 0, output: str = GOOD, slice_: str = "x") -> Answered:
    status = CheckStatus.PASS if right else CheckStatus.FAIL
    return Answered(
        prompt_id=f"p{n}",
        slice=slice_,
        output=output,
        outcome=Outcome.PASSED if right else Outcome.FAILED,
        checks=(Check(name="sql", version="1", hard=True, status=status),),
    )


def both(n: int, better: int = 0, worse: int = 0, **changes: str) -> list[Pair]:
    """``n`` prompts that both answer right, but ``better`` and ``worse`` of them."""
    return [
        Pair(
            candidate=answered(i >= worse, n=i, **changes),
            reference=answered(not worse <= i < worse + better, n=i),
        )
        for i in range(n)
    ]


def gates(
    given: Sequence[Pair], wins: float | None = None, kl: Sequence[float | None] | None = None
) -> dict[str, GateResult]:
    duels = None
    if wins is not None:
        won = round(wins * 200)
        duels = [Duel(slice="x", score=float(i < won)) for i in range(200)]
    return {gate.name: gate for gate in post_train_gates(given, duels, kl, PromotionSettings())}


def test_a_better_policy_passes_everything() -> None:
    found = gates(both(400, better=40, worse=4), wins=0.6, kl=[0.2, 0.3, 0.25])
    assert {gate.verdict for gate in found.values()} == {Verdict.PASS}
    assert found["accuracy"].value == pytest.approx(0.09)
    assert found["win_rate"].value == pytest.approx(0.6)


def test_a_worse_policy_fails_with_its_numbers() -> None:
    found = gates(both(400, worse=60))
    assert found["accuracy"].verdict is Verdict.FAIL
    assert found["accuracy"].value == pytest.approx(-0.15)
    assert found["verifier/sql"].verdict is Verdict.FAIL
    assert "over 400 prompts" in found["accuracy"].detail


def test_few_prompts_prove_nothing() -> None:
    found = gates(both(12))
    assert found["held_out"].verdict is Verdict.INCONCLUSIVE
    assert "38 more prompts" in found["held_out"].detail
    assert found["accuracy"].verdict is Verdict.INCONCLUSIVE


def test_no_prompts_at_all_never_pass() -> None:
    assert Verdict.PASS not in {gate.verdict for gate in gates([]).values()}


def test_a_rising_win_rate_beside_a_falling_verifier_is_reward_hacking() -> None:
    found = gates(both(400, worse=40), wins=0.7)["reward_hacking"]
    assert found.verdict is Verdict.FAIL
    assert "win rate rose by +0.200" in found.detail
    assert "sql fell by -0.100" in found.detail


def test_a_fall_without_a_rise_is_a_worse_policy_but_no_hacking() -> None:
    found = gates(both(400, worse=40), wins=0.45)
    assert found["reward_hacking"].verdict is Verdict.PASS
    assert found["accuracy"].verdict is Verdict.FAIL


def test_a_fall_that_may_be_chance_is_not_called_hacking() -> None:
    found = gates(both(100, worse=8, better=4), wins=0.7)["reward_hacking"]
    assert found.verdict is Verdict.INCONCLUSIVE


def test_of_many_verifiers_one_seems_to_fall_by_chance() -> None:
    """Five of 463 are unlikely to be lost by one verifier, and not by one of six."""

    def hacked(verifiers: int) -> Verdict:
        gains = {f"check {n}": [0.0] * 463 for n in range(verifiers - 1)}
        gains["executes"] = [-1.0] * 5 + [0.0] * 458
        return hacking_gate(share_difference([1.0] * 9 + [0.0] * 191), gains, 0.03).verdict

    assert hacked(1) is Verdict.FAIL
    assert hacked(6) is Verdict.PASS


def test_one_slice_that_surely_lost_vetoes() -> None:
    fine = [*both(400, better=60), *both(60, slice_="joins")]
    broken = [*both(400, better=60), *both(60, worse=40, slice_="joins")]
    assert gates(fine)["accuracy/joins"].verdict is Verdict.PASS
    found = gates(broken)
    assert found["accuracy"].verdict is Verdict.PASS
    assert found["accuracy/joins"].verdict is Verdict.FAIL


def test_a_slices_win_rate_is_held_by_the_bounds_of_a_win_rate() -> None:
    """Of 20 duels of which 5 were won it is surely 0.04 below one half (Bonett and Price)."""
    duels = [Duel(slice="joins", score=float(i < 5)) for i in range(20)]
    duels += [Duel(slice="x", score=1.0)] * 200

    def vetoed(max_drop: float) -> bool:
        settings = PromotionSettings(slice_max_drop=max_drop)
        found = {gate.name: gate for gate in post_train_gates(both(400), duels, None, settings)}
        return found["win_rate/joins"].verdict is Verdict.FAIL

    assert vetoed(0.04)
    assert not vetoed(0.05)


def test_a_small_slice_decides_nothing() -> None:
    assert "accuracy/joins" not in gates([*both(400), *both(8, worse=8, slice_="joins")])


@pytest.mark.parametrize(
    ("output", "gate"),
    [
        ("I'm sorry, I cannot answer.", "refusals"),
        ("so it is so it is so it is so it is so it is", "repetition"),
        (f"{GOOD} apples, which is one dozen of them in all", "length_ratio"),
        ("", "length_ratio_floor"),
    ],
)
def test_what_else_can_go_wrong(output: str, gate: str) -> None:
    found = gates(both(100, output=output))
    assert found[gate].verdict is Verdict.FAIL
    others = {"refusals", "repetition"} - {gate}
    assert {found[name].verdict for name in others} == {Verdict.PASS}


def test_lengths_are_shown_as_ratios() -> None:
    found = gates(both(100, output=GOOD[: len(GOOD) // 2]))["length_ratio"]
    assert found.value == pytest.approx(0.5)
    assert found.threshold == pytest.approx(1.25)
    assert found.verdict is Verdict.PASS


def test_a_policy_far_from_the_reference_is_held_back() -> None:
    assert gates(both(100), kl=[2.0, 2.2, 1.9])["kl"].verdict is Verdict.FAIL
    assert gates(both(100), kl=[1.5, 0.2, 1.6])["kl"].verdict is Verdict.INCONCLUSIVE
    assert "kl" not in gates(both(100))


def test_a_distance_that_cannot_be_told_does_not_pass() -> None:
    unknown = gates(both(100), kl=[])["kl"]
    assert unknown.verdict is Verdict.INCONCLUSIVE
    assert "share no vocabulary" in unknown.detail


def test_a_check_that_could_not_decide_counts_for_nobody() -> None:
    unknown = answered(right=True, n=0).model_copy(
        update={
            "outcome": Outcome.UNDECIDED,
            "checks": (Check(name="sql", version="1", hard=True, status=CheckStatus.ERROR),),
        }
    )
    given = [*both(60), *(Pair(candidate=unknown, reference=answered(True)) for _ in range(40))]
    assert "over 60 prompts" in gates(given)["verifier/sql"].detail


def asked_for(status: CheckStatus, outcome: Outcome, *names: str) -> Answered:
    """Of a prompt whose answers these checks are asked, the last with this status."""
    checks = [Check(name=name, version="1", hard=True, status=CheckStatus.FAIL) for name in names]
    checks[-1] = checks[-1].model_copy(update={"status": status})
    return Answered(slice="x", output=GOOD, outcome=outcome, checks=tuple(checks))


def test_prompts_that_a_check_is_not_asked_of_say_nothing_of_it() -> None:
    """Both fail at them by another check; no loss of this one becomes small beside them."""
    others = asked_for(CheckStatus.FAIL, Outcome.FAILED, "sql")
    lost = Pair(
        candidate=asked_for(CheckStatus.FAIL, Outcome.FAILED, "numbers"),
        reference=asked_for(CheckStatus.PASS, Outcome.PASSED, "numbers"),
    )
    given = [*[lost] * 5, *[Pair(candidate=others, reference=others)] * 300]
    found = gates(given)["verifier/numbers"]
    assert (found.value, found.verdict) == (-1.0, Verdict.FAIL)


def test_a_check_that_an_earlier_failure_kept_from_running_has_not_passed() -> None:
    skipped = asked_for(CheckStatus.SKIP, Outcome.FAILED, "sql", "numbers")
    passed = asked_for(CheckStatus.PASS, Outcome.PASSED, "numbers")
    found = gates([Pair(candidate=skipped, reference=passed)] * 60)["verifier/numbers"]
    assert found.value == -1.0


def silent(n: int = 0) -> Answered:
    """Of a prompt that is longer than the policy's context."""
    return Answered(
        prompt_id=f"p{n}", slice="x", output="", outcome=Outcome.UNDECIDED, unanswered="too long"
    )


def test_a_prompt_that_neither_can_be_asked_decides_nothing_and_is_counted() -> None:
    neither = Pair(candidate=silent(), reference=silent())
    asked, found = gates(both(400, worse=2)), gates([neither, *both(400, worse=2), neither])
    assert "of 402 prompts 2 could not be answered by the candidate" in found["held_out"].detail
    assert "2 by neither, left out; the first: too long" in found.pop("held_out").detail
    assert asked.pop("held_out").detail == ""
    assert found == asked


def test_prompts_beyond_the_context_do_not_make_up_the_numbers() -> None:
    neither = [Pair(candidate=silent(n), reference=silent(n)) for n in range(400)]
    few = gates([*both(49), *neither])["held_out"]
    assert (few.verdict, few.value) == (Verdict.INCONCLUSIVE, 49)
    assert few.detail.startswith("1 more prompts are needed; of 449 prompts")
    assert Verdict.PASS not in {gate.verdict for gate in gates(neither).values()}


def test_who_alone_cannot_be_asked_has_not_passed() -> None:
    lost = [Pair(candidate=silent(n), reference=answered(True, n=n)) for n in range(40)]
    found = gates([*both(360), *lost])
    assert found["accuracy"].value == pytest.approx(-0.1)
    assert found["accuracy"].verdict is Verdict.FAIL
    assert "40 could not be answered by the candidate, 0 by the ref" in found["held_out"].detail


def test_a_judge_without_anchors_lets_nothing_through() -> None:
    found = {gate.name: gate for gate in post_train_gates(both(400), (), None, PromotionSettings())}
    assert found["win_rate"].verdict is Verdict.INCONCLUSIVE
    assert "anchor_prompts: 0 goes without" in found["win_rate"].detail
    assert found["reward_hacking"].verdict is Verdict.INCONCLUSIVE


def test_what_could_not_be_judged_is_counted() -> None:
    judged = [Duel(slice="x", score=0.5 if n % 4 else None) for n in range(400)]
    found = {
        gate.name: gate for gate in post_train_gates(both(400), judged, None, PromotionSettings())
    }
    assert "over 300 prompts" in found["win_rate"].detail
    assert "100 of 400 prompts could not be judged" in found["win_rate"].detail


def test_a_distance_says_on_how_many_prompts_it_could_not_be_told() -> None:
    found = gates(both(100), kl=[0.2, None, 0.3, 0.25])["kl"]
    assert found.verdict is Verdict.PASS
    assert "1 of 4 prompts left no room for an answer" in found.detail
    assert gates(both(100), kl=[None, None])["kl"].verdict is Verdict.INCONCLUSIVE


def test_only_the_same_prompts_are_compared() -> None:
    with pytest.raises(ValueError, match="same prompts"):
        pairs([answered(True, n=1)], [answered(True, n=2)])


@pytest.mark.parametrize(
    ("text", "share"), [("a b c", 0.0), ("a b c d", 0.0), ("a b c d a b c d", 0.2), ("a " * 8, 0.8)]
)
def test_repetition_is_the_share_of_repeated_four_grams(text: str, share: float) -> None:
    assert repetition(text) == pytest.approx(share)
