"""What counts as the same number, interval or list."""

import pytest

from streams.verify.number_match import compare_numbers
from streams.verify.number_params import NumericUnusable, numeric_params
from streams.verify.number_text import NumberInvalid


def score(spec: str, answer: str, **params: str) -> float:
    return compare_numbers(spec, answer, numeric_params(params)).score


@pytest.mark.parametrize(
    ("spec", "answer", "params", "expected"),
    [
        ("5", "It is 5.", {}, 1),
        ("5", "It is 5 or so", {}, 1),
        ("5", "5.00001", {}, 0),
        ("5", "5.00001", {"relative": "1e-5"}, 1),
        ("5", "5.4", {"absolute": "0.5"}, 1),
        ("1/3", "0.3333333", {}, 1),
        ("0", "0.0000001", {}, 0),
        ("6.626e-34", "0", {}, 0),
        ("0.12", "12%", {}, 1),
        ("12%", "12", {}, 0),
        ("12", "12%", {"percent": "same"}, 1),
        ("5000", "5 km", {"unit": "m"}, 1),
        ("5 km", "5000 m", {}, 1),
        ("5 km", "3.106856 miles", {"relative": "1e-6"}, 1),
        ("5", "5 kg", {}, 1),
        ("5000", "5000", {"unit": "m", "unit_optional": "true"}, 1),
        ("$5", "5 dollars", {}, 1),
        ("1234.5", "1.234,5", {"decimal": "point", "extract": "whole"}, None),
        ("1.234,5", "1.234,5", {"decimal": "comma", "extract": "whole"}, 1),
        ("5 km", "5 kg", {"unit_optional": "true"}, None),
        ("5 km", "5", {}, None),
        ("5 km", "5 kg", {}, None),
        ("$5", "5 €", {}, None),
        # "in" behind a number is a word more often than inches
        ("1234.5", "It costs $1,234.50 in total", {}, 1),
        ("$12", "$12 in all", {}, 1),
        ("$12", "12 in all", {}, None),
        ("30.48 cm", "12 in", {}, 1),
        ("5 km", "5 in", {}, 0),
    ],
)
def test_numbers(spec: str, answer: str, params: dict[str, str], expected: float | None) -> None:
    if expected is None:
        with pytest.raises(NumberInvalid):
            score(spec, answer, **params)
    else:
        assert score(spec, answer, **params) == expected


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (r"[0, \infty)", 1),
        (r"$\left[0, \infty\right)$", 1),
        ("[0, inf]", 1),
        ("(0, inf)", 0),
        ("[-0.0, ∞)", 1),
        ("[0, 5)", 0),
        ("[0, inf) ∪ [5, 6]", 0),
        ("[0, 1, 2]", None),
        ("0 to infinity", None),
        ("(5, 3)", None),
    ],
)
def test_intervals(answer: str, expected: float | None) -> None:
    params = {"kind": "interval", "extract": "whole"}
    if expected is None:
        with pytest.raises(NumberInvalid):
            score("[0, inf)", answer, **params)
    else:
        assert score("[0, inf)", answer, **params) == expected


def test_unions_are_equal_in_any_order() -> None:
    given = r"\boxed{(3, 4] \cup (-\infty, 1/2)}"
    assert score("(-inf, 0.5) U (3, 4]", given, kind="interval") == 1
    assert score("(-inf, 0.5) U (3, 4)", given, kind="interval") == 0


@pytest.mark.parametrize(
    ("answer", "order", "expected"),
    [
        ("1, 2, 3", "ordered", 1),
        ("[1, 2, 3]", "ordered", 1),
        (r"\{1, 2, 3\}", "ordered", 1),
        ("1, 2 and 3", "ordered", 1),
        ("1; 2; 3", "ordered", 1),
        ("3, 2, 1", "ordered", 1 / 3),
        ("3, 2, 1", "set", 1),
        ("1, 1, 2, 3", "set", 1),
        ("1, 2", "set", 2 / 3),
        ("1, 2, 3, 4, 5, 6", "set", 1 / 2),
        ("1, 2, 3, 4", "ordered", 3 / 4),
        ("[]", "ordered", 0),
    ],
)
def test_lists_score_by_the_longer_one(answer: str, order: str, expected: float) -> None:
    found = score("1, 2, 3", answer, kind="list", extract="whole", order=order)
    assert found == pytest.approx(expected)


def test_a_list_of_too_many_is_refused() -> None:
    with pytest.raises(NumberInvalid, match="300 elements"):
        score("1", ",".join(["1"] * 300), kind="list", extract="whole")


@pytest.mark.parametrize(
    ("spec", "params", "reason"),
    [
        ("five", {}, "'five' is no number"),
        ("5", {"kind": "lst"}, "parameter kind is 'lst'"),
        ("5", {"knd": "list"}, "unknown parameter knd"),
        ("5", {"relative": "2"}, "less than 1"),
        ("5", {"relative": "nan"}, "relative"),
        ("5", {"kind": "list", "extract": "last_number"}, "finds no list"),
        ("5 km", {"unit": "s"}, "measures something else"),
        ("[2, 1]", {"kind": "interval"}, "ends before it begins"),
    ],
)
def test_an_expectation_that_cannot_be_used_says_why(
    spec: str, params: dict[str, str], reason: str
) -> None:
    with pytest.raises(NumericUnusable, match=reason):
        score(spec, "5", **params)
