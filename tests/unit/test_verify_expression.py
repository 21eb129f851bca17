"""Formulas: what is read, what is refused, and which two are equal."""

from typing import Literal

import pytest

from streams.verify.expression import pack
from streams.verify.expression_parse import parse_expression
from streams.verify.expression_sample import Sampled, sample
from streams.verify.expression_task import run
from streams.verify.number_text import NumberInvalid

Assume = Literal["real", "positive", "complex"]


def verdict(one: str, other: str, assume: Assume = "real") -> str:
    expected, given = parse_expression(one), parse_expression(other)
    if sample(expected, given, assume) is Sampled.DIFFERENT:
        return "different"
    request = {"expected": pack(expected), "given": pack(given), "assume": assume}
    return run(request)["verdict"]


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("(x+1)^2", "x^2 + 2x + 1"),
        ("x**2", "x^2"),
        ("0.5x", r"\frac{x}{2}"),
        (r"\frac12", "1/2"),
        (r"\frac{1}{2}x", "x/2"),
        ("1/2x", "x/2"),
        ("-x^2", "-(x^2)"),
        ("2^3^2", "512"),
        (r"2\sqrt{3}", r"\sqrt{12}"),
        (r"\sqrt[3]{27}", "3"),
        (r"\sin^2 x + \cos^2 x", "1"),
        (r"\sin 2x", r"2 \sin x \cos x"),
        (r"\log_{2} 8", "3"),
        ("exp(x)", "e^x"),
        (r"e^{i\pi}", "-1"),
        ("sqrt(x^2)", "|x|"),
        ("x!", "x*(x-1)!"),
        ("y = 3x", "3x"),
        ("ab", "ba"),
        ("x_1 + x_{12}", "x_{12} + x_1"),
        (r"\alpha\beta", "beta*alpha"),
        ("10^20 + x - 10^20", "x"),
        ("2x(x+1)", "2x^2+2x"),
    ],
)
def test_equal_formulas_are_proven(one: str, other: str) -> None:
    assert verdict(one, other) == "equal"
    assert verdict(other, one) == "equal"


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("x", "y"),
        ("x", "x + 1"),
        ("sqrt(x^2)", "x"),
        ("ln(x^3)", "3 ln x"),
        ("x", "x + 10^{-30}"),
        ("(x+1)^50", "(x+1)^50 + 1/10^9"),
        ("x_1", "x_2"),
        ("x + 1", "9^9^9"),
        ("x + 1", "9^9^9^9^9"),
        ("x + 1", "(((9!)!)!)!"),
        ("x", "1/0"),
        ("3.14159", r"\pi"),
    ],
)
def test_different_formulas_are_told_apart(one: str, other: str) -> None:
    assert verdict(one, other) == "different"


def test_assumptions_decide() -> None:
    assert verdict("sqrt(x^2)", "x", "positive") == "equal"
    assert verdict("ln(x^3)", "3 ln x", "positive") == "equal"
    assert verdict("|x|^2", "x^2", "real") == "equal"
    assert verdict("|x|^2", "x^2", "complex") == "different"


@pytest.mark.parametrize(
    ("one", "other"), [("9^9^9", "9^9^9 + 1"), ("1000! + 1", "1000!"), ("2^(10^9)", "4^(10^9)")]
)
def test_what_is_too_large_to_work_out_is_unknown(one: str, other: str) -> None:
    assert verdict(one, other) == "unknown"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "2 3",
        "x +",
        "(x",
        "x)",
        "()",
        "x = y = 3",
        "x > 3",
        "__import__('os').system('id')",
        "x.__class__",
        "().__class__.__bases__[0]",
        "lambda: 1",
        "open('/etc/passwd')",
        "f'{x}'",
        "'a'*10",
        "x;y",
        "x:=1",
        "0x1F",
        "1_000",
        r"\unknown{x}{y",
        "(" * 100_000,
        "(" * 200 + "x" + ")" * 200,
        "-" * 300 + "x",
        "x" + "!" * 300,
        "x^" * 300 + "x",
        "9" * 400,
        "x" * 300,
        "x+" * 10**6,
    ],
)
def test_what_is_no_formula_is_refused_and_never_evaluated(text: str) -> None:
    with pytest.raises(NumberInvalid):
        parse_expression(text)


def test_words_are_products_of_letters_unless_they_are_named() -> None:
    assert verdict("[x for x in y]", "x^2*y*f*o*r*i*n") == "equal"
    assert parse_expression("open(x)") == parse_expression("o*p*e*n*x")
    assert parse_expression("eval(x)", frozenset({"eval"})) == parse_expression(
        "eval*x", frozenset({"eval"})
    )


def test_the_largest_formula_that_is_read_can_be_compared() -> None:
    product = "x" * 200
    assert sample(parse_expression(product), parse_expression("x^200"), "real") is Sampled.AGREE
    nested = "(" * 39 + "x" + ")" * 39
    assert verdict(nested, "x") == "equal"
