"""Numbers: what is written is read back, and comparing is symmetric and within tolerance."""

from fractions import Fraction

from hypothesis import given
from hypothesis import strategies as st

from streams.verify.expression import Applied, Expression, Number, Operation, Symbol
from streams.verify.expression_parse import parse_expression
from streams.verify.expression_sample import Sampled, sample
from streams.verify.number_params import NumericParams
from streams.verify.number_quantity import parse_quantity
from streams.verify.number_text import NumberInvalid, extract_number

FRACTIONS = st.fractions(max_denominator=10**6)


@given(
    st.decimals(
        allow_nan=False, allow_infinity=False, places=4, min_value=-(10**12), max_value=10**12
    )
)
def test_a_decimal_is_read_back_however_it_is_written(value: object) -> None:
    expected = Fraction(str(value))
    for text in (f"{value:,}", f"{value:f}", f"{value:e}", f"{value:,}".replace("-", "−")):
        assert parse_quantity(text).value == expected
    swapped = f"{value:,}".translate({ord(","): ".", ord("."): ","})
    assert parse_quantity(swapped, "comma").value == expected
    assert parse_quantity(f"{value:,} km").value == expected
    assert parse_quantity(f"{value:,}%").percent


@given(FRACTIONS)
def test_a_fraction_is_read_back(value: Fraction) -> None:
    sign, size = ("-" if value < 0 else ""), abs(value)
    whole, rest = divmod(size.numerator, size.denominator)
    for text in (
        f"{sign}{size.numerator}/{size.denominator}",
        rf"{sign}\frac{{{size.numerator}}}{{{size.denominator}}}",
        f"{sign}{whole} {rest}/{size.denominator}",
    ):
        assert parse_quantity(text).value == value


@given(st.text("0123456789.,-+eE/ ^*{}()\\frac%$kmx=½⁵−'_ü\n"))
def test_any_text_is_a_number_or_a_reason(text: str) -> None:
    for read in (parse_quantity, parse_expression, lambda t: extract_number(t, "last_number")):
        try:
            read(text)
        except NumberInvalid as error:
            assert str(error)


@given(FRACTIONS, FRACTIONS, st.floats(0, 0.5), st.floats(0, 10))
def test_nearness_is_symmetric_and_reflexive(
    one: Fraction, other: Fraction, relative: float, absolute: float
) -> None:
    params = NumericParams(relative=relative, absolute=absolute)
    assert params.near(one, one)
    assert params.near(one, other) == params.near(other, one)


@given(FRACTIONS.filter(bool), st.floats(1e-9, 0.4))
def test_nearness_ends_at_the_tolerance(value: Fraction, relative: float) -> None:
    params = NumericParams(relative=relative)
    allowed = Fraction(relative)
    assert params.near(value, value * (1 - allowed))
    assert not params.near(value, value * (1 - allowed * Fraction(101, 100)))


def text_of(expression: Expression) -> str:
    match expression:
        case Number(value):
            return f"({value.numerator}/{value.denominator})"
        case Symbol(name):
            return name
        case Operation(operator, left, right):
            return f"({text_of(left)}){operator}({text_of(right)})"
        case Applied(_, argument):
            return f"(-({text_of(argument)}))"
    raise AssertionError(expression)


EXPRESSIONS = st.recursive(
    st.sampled_from("xyz").map(Symbol) | st.integers(0, 50).map(lambda n: Number(Fraction(n))),
    lambda inner: (
        st.builds(Operation, st.sampled_from("+-*/"), inner, inner)
        | st.builds(Applied, st.just("neg"), inner)
    ),
    max_leaves=8,
)


@given(EXPRESSIONS)
def test_a_formula_is_read_back(expression: Expression) -> None:
    read = parse_expression(text_of(expression))
    assert sample(expression, read, "real") is not Sampled.DIFFERENT


@given(EXPRESSIONS, EXPRESSIONS)
def test_comparing_formulas_is_symmetric_where_both_have_values(
    one: Expression, other: Expression
) -> None:
    found = {sample(one, other, "real"), sample(other, one, "real")}
    # Only a formula without any value makes a difference of which is the expected one.
    assert len(found) == 1 or Sampled.UNKNOWN in found
