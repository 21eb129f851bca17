"""Numbers as people write them: every notation is read exactly, and nothing else is a number."""

from fractions import Fraction

import pytest

from streams.verify.number_quantity import parse_quantity
from streams.verify.number_text import NumberInvalid, extract_number
from streams.verify.number_units import convert, unit_named


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("5", 5),
        ("−5", -5),
        ("+5.", 5),
        (".5", "1/2"),
        ("1,234,567.89", "123456789/100"),
        ("1 234 567", 1234567),
        ("1\u202f234", 1234),
        ("1'234.5", "2469/2"),
        ("1{,}000", 1000),
        (r"1\,000", 1000),
        ("1.5e3", 1500),
        ("1.2×10⁵", 120000),
        (r"1.2 \times 10^{-5}", "3/250000"),
        ("10^5", 100000),
        ("-3/4", "-3/4"),
        ("-1 3/4", "-7/4"),
        ("½", "1/2"),
        ("3½", "7/2"),
        (r"\frac{3}{4}", "3/4"),
        (r"1\frac{3}{4}", "7/4"),
        (r"-\dfrac12", "-1/2"),
        ("3 million", 3_000_000),
        ("$5$", 5),
        (r"\(5\)", 5),
        ("x = 5", 5),
        ("≈ 5", 5),
        ("1e400", 10**400),
    ],
)
def test_a_number_is_read_exactly(text: str, value: int | str) -> None:
    quantity = parse_quantity(text)
    assert quantity.value == Fraction(value)
    assert quantity.unit is None
    assert not quantity.percent


@pytest.mark.parametrize(
    "text",
    [
        *("", " ", "five", "nan", "inf", "--5", "-+5", "5 6", "5 or 6", "5 and 6", "5-6", "5; 6"),
        *("1,23", "12,34", "1.2.3", "1_000", "0x10", "٣", "$5 km", "5 km 6", "5!", "1/0"),
        *("1e9999999999", "9" * 401, "9" * 10**6, "1" + ",000" * 300, "__import__('os')"),
    ],
)
def test_what_is_no_number_is_refused(text: str) -> None:
    with pytest.raises(NumberInvalid):
        parse_quantity(text)


def test_the_marks_can_change_places() -> None:
    assert parse_quantity("1.234,5", "comma").value == Fraction("1234.5")
    with pytest.raises(NumberInvalid):
        parse_quantity("1,234.5", "comma")


@pytest.mark.parametrize("text", ["12%", "12 percent", r"12\%", "12 per cent"])
def test_percent_is_a_sign_of_its_own(text: str) -> None:
    quantity = parse_quantity(text)
    assert quantity.percent
    assert quantity.value == 12


@pytest.mark.parametrize(
    ("text", "unit", "value"),
    [
        ("5 km", "m", 5000),
        ("5km.", "metres", 5000),
        (r"5\text{ cm}^2", "m^2", "5/10000"),
        ("36 km/h", "m/s", 10),
        ("77 °F", "°C", 25),
        ("0 K", "celsius", "-273.15"),
        (r"90^\circ", "deg", 90),
        ("-$5.20", "USD", "-5.2"),
        (r"\$5", "dollars", 5),
        ("5 €", "EUR", 5),
        ("$3 million", "$", 3_000_000),
        ("50 cents", "USD", "1/2"),
        ("2 MW", "mW", 2_000_000_000),
        ("7 Apples", "apples", 7),
    ],
)
def test_units_convert_exactly(text: str, unit: str, value: int | str) -> None:
    quantity = parse_quantity(text)
    assert quantity.unit is not None
    assert convert(quantity.value, quantity.unit, unit_named(unit)) == Fraction(value)


@pytest.mark.parametrize(
    ("one", "other"), [("m", "s"), ("USD", "EUR"), ("apples", "oranges"), ("m", "m^2")]
)
def test_what_measures_something_else_does_not_convert(one: str, other: str) -> None:
    assert convert(Fraction(1), unit_named(one), unit_named(other)) is None


@pytest.mark.parametrize(
    ("answer", "found"),
    [
        ("It is 5 km.", "5 km"),
        ("so 10-5 = 5", "5"),
        ("total: $1,234.50.", "$1,234.50"),
        ("1/2 or 3/4", "3/4"),
        ("(−7)", "-7"),
        (r"3 \times 10^8 m/s", "3 * 10^8 m/s"),
        ("first 5, then H2O", "5"),
        ("x = -3, y = +4", "+4"),
        ("about 12 %", "12 %"),
        (r"that is 1\frac{3}{4}.", r"1\frac{3}{4}"),
    ],
)
def test_the_last_number(answer: str, found: str) -> None:
    assert extract_number(answer, "last_number") == found


def test_boxed_and_tagged_answers_are_the_last_ones() -> None:
    assert extract_number(r"\boxed{1} then \boxed{\frac{1}{2}}", "boxed") == r"\frac{1}{2}"
    assert extract_number(r"\boxed{\{1, 2\}}", "boxed") == r"\{1, 2\}"
    assert extract_number("<answer>1</answer> <answer> 2 </answer>", "tagged") == "2"
    assert extract_number("<x>1</x>", "tagged", "x") == "1"
    assert extract_number("#### 1\n#### 2\nbye", "tagged", "####") == "2"


@pytest.mark.parametrize(
    ("answer", "rule"),
    [
        (r"\boxed{1", "boxed"),
        (r"\boxed{}", "boxed"),
        (r"\boxed{" + "{" * 10**6, "boxed"),
        ("<answer>1", "tagged"),
        ("</answer><answer>1", "tagged"),
        ("none", "last_number"),
        (" ", "whole"),
        ("1" * 1001, "whole"),
        (r"\boxed{1}" * 10**5 + r"\boxed{", "boxed"),
    ],
)
def test_an_answer_that_is_not_there(answer: str, rule: str) -> None:
    with pytest.raises(NumberInvalid):
        extract_number(answer, rule)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "hostile", ["9" * 10**6, "1," * 10**6, "- " * 10**6, "1 " * 10**6, r"\frac{1}{" * 10**5]
)
def test_a_megabyte_is_not_searched_in_quadratic_time(hostile: str) -> None:
    """It would be minutes: the test would not end."""
    try:
        assert len(extract_number(hostile, "last_number")) <= 1000
    except NumberInvalid as error:
        assert str(error)
