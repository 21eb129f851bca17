import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.events import Discard, Judgment, Preference
from schemas.records import (
    Check,
    CheckStatus,
    Outcome,
    PreferenceSource,
    Purpose,
    VerifierWinner,
    Winner,
)
from streams.filter import FilterStage
from streams.filter_rules import RULES, FilterSettings, reasons_against
from tests.events import comparison, judgment, verified

LONG = "word " * 40
VERY_LONG = "word " * 100


def decided(winner: Winner, verifier: VerifierWinner, **changes: object) -> Judgment:
    passed_a = verifier is VerifierWinner.A
    a = verified("a", Outcome.PASSED if passed_a else Outcome.FAILED)
    b = verified("b", Outcome.FAILED if passed_a else Outcome.PASSED)
    judged = comparison(a, b, verifier_winner=verifier)
    fields = {"margin": None, "position_bias": None} | changes
    return judgment(judged, winner=winner, **fields)


CASES: list[tuple[str, Judgment]] = [
    (
        "not_for_training",
        judgment(comparison(verified("a"), verified("b"), purpose=Purpose.ANCHOR)),
    ),
    ("invalid", judgment(winner=Winner.INVALID, margin=None)),
    ("tie", judgment(winner=Winner.TIE)),
    ("position_conflict", judgment(winner=Winner.CONFLICT)),
    ("near_tie", judgment(margin=0.05)),
    ("low_margin", judgment(margin=0.59)),
    ("low_agreement", judgment(agreement=0.4)),
    (
        "verifier_judge_conflict",
        decided(Winner.A, VerifierWinner.A, crosscheck_winner=Winner.B),
    ),
    (
        "failed_chosen",
        judgment(comparison(verified("a", Outcome.FAILED), verified("b", Outcome.FAILED))),
    ),
    (
        "length_skew",
        judgment(comparison(verified("a", output=LONG), verified("b", output="short"))),
    ),
    (
        "length_outlier",
        judgment(comparison(verified("a", output="word " * 4), verified("b", output="four words"))),
    ),
    (
        "duplicate",
        judgment(comparison(verified("a", output="x y"), verified("b", output="x  y\n"))),
    ),
    (
        "near_identical",
        judgment(
            comparison(verified("a", output=VERY_LONG + "x"), verified("b", output=VERY_LONG))
        ),
    ),
]
# log(21 / 11) is 3.2 times this
SETTINGS = FilterSettings(length_sd=0.2)


def test_every_rule_has_a_case() -> None:
    assert [name for name, _ in CASES] == [rule.__name__ for rule in RULES]


@pytest.mark.parametrize(("reason", "event"), CASES, ids=[name for name, _ in CASES])
async def test_the_rule_discards_what_it_is_for(reason: str, event: Judgment) -> None:
    assert reason in reasons_against(event, SETTINGS)
    (out,) = await FilterStage(SETTINGS)(event)
    assert isinstance(out, Discard)
    assert reason in out.reasons
    assert out.source_ids == (event.event_id,)


def test_a_clear_verdict_meets_no_reason() -> None:
    assert reasons_against(judgment(), FilterSettings()) == []


async def test_a_judged_pair_becomes_a_preference_of_the_winner() -> None:
    (out,) = await FilterStage(FilterSettings())(judgment(winner=Winner.B, margin=-2.0))
    assert isinstance(out, Preference)
    assert (out.chosen_id, out.rejected_id) == ("b", "a")
    assert out.chosen[0].content == "The answer of b."
    assert out.source is PreferenceSource.RLAIF
    assert out.judge_config_hash == "jc"


async def test_a_verifier_decided_pair_needs_no_margin() -> None:
    (out,) = await FilterStage(FilterSettings())(decided(Winner.B, VerifierWinner.B))
    assert isinstance(out, Preference)
    assert out.source is PreferenceSource.VERIFIER
    assert out.chosen_id == "b"


def test_a_judge_without_probabilities_skips_the_margin_rules() -> None:
    assert reasons_against(judgment(margin=None, position_bias=None), FilterSettings()) == []


def test_one_wrong_join_key_is_a_lesson_not_a_near_identity() -> None:
    a = verified("a", Outcome.PASSED, LONG + "x")
    b = verified("b", Outcome.FAILED, LONG + "y")
    pair = comparison(a, b, verifier_winner=VerifierWinner.A)
    assert reasons_against(judgment(pair, margin=None), FilterSettings()) == []


def test_without_a_fitted_spread_no_length_is_an_outlier() -> None:
    (event,) = (one for name, one in CASES if name == "length_outlier")
    assert reasons_against(event, FilterSettings()) == []


@pytest.mark.parametrize(("named", "reasons"), [("shop", ["length_outlier"]), ("other", [])])
def test_a_spread_holds_for_its_workload(named: str, reasons: list[str]) -> None:
    (event,) = (one for name, one in CASES if name == "length_outlier")
    assert event.workload_id == "shop"
    assert reasons_against(event, FilterSettings(length_sd={named: 0.2})) == reasons


def test_one_word_of_a_few_is_no_near_identity() -> None:
    pair = comparison(verified("a", output=LONG + "x"), verified("b", output=LONG + "y"))
    assert reasons_against(judgment(pair), FilterSettings()) == []


@pytest.mark.parametrize(
    ("statuses", "names", "reasons"),
    [
        (("PASS", "PASS"), ("sql_result_match",), ["near_identical"]),
        (("PASS", "INCONCLUSIVE"), ("sql_result_match",), []),
        (("PASS", "PASS"), (), []),
    ],
)
def test_equal_results_are_near_identical_where_the_project_says_so(
    statuses: tuple[str, str], names: tuple[str, ...], reasons: list[str]
) -> None:
    a, b = (
        verified(name).model_copy(
            update={
                "checks": (
                    Check(
                        name="sql_result_match", version="1", hard=True, status=CheckStatus(status)
                    ),
                )
            }
        )
        for name, status in zip("ab", statuses, strict=True)
    )
    settings = FilterSettings(same_result_checks=names)
    assert reasons_against(judgment(comparison(a, b)), settings) == reasons


def test_a_shorter_chosen_answer_is_no_skew() -> None:
    pair = comparison(verified("a", output="short"), verified("b", output=LONG))
    assert reasons_against(judgment(pair), FilterSettings()) == []


@given(st.floats(-5, 5), st.floats(0, 1), st.sampled_from(list(Winner)))
def test_reasons_do_not_depend_on_which_side_is_called_a(
    margin: float, agreement: float, winner: Winner
) -> None:
    x, y = verified("x"), verified("y", output="quite another answer")
    mirrored = {Winner.A: Winner.B, Winner.B: Winner.A}.get(winner, winner)
    one = judgment(comparison(x, y), winner=winner, margin=margin, agreement=agreement)
    other = judgment(comparison(y, x), winner=mirrored, margin=-margin, agreement=agreement)
    assert reasons_against(one, FilterSettings()) == reasons_against(other, FilterSettings())
