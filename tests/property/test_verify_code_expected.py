"""Comparing packed values: as Python compares the values themselves, whatever a child sends."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from streams.verify.code.expected import Expected, Relation
from streams.verify.result_rows import Tolerance
from streams.verify.sandbox.code_result import Output
from streams.verify.sandbox.plain import pack

EXACT = Tolerance(relative=0.0, absolute=0.0)

HASHABLE = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False)
    | st.text(max_size=3)
    | st.binary(max_size=3),
    lambda inner: st.tuples(inner, inner) | st.frozensets(inner, max_size=3),
    max_leaves=5,
)
VALUES = st.recursive(
    HASHABLE,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(HASHABLE, inner, max_size=3),
    max_leaves=8,
)
SMALL = st.recursive(
    st.sampled_from([0, 1, True, False, 1.0, "1", None, 2**64, float(2**64)]),
    lambda inner: st.lists(inner, max_size=2) | st.tuples(inner) | st.just({1: 2}),
    max_leaves=3,
)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["int", "float", "tuple", "set", "dict", "bytes", "complex", "x"]),
            inner,
            max_size=2,
        )
    ),
    max_leaves=8,
)


def equal(expected: Any, got: Any) -> bool:
    wanted = Expected(relation=Relation.EQUAL, value=pack(expected))
    return wanted.holds(Output(value=pack(got)), EXACT)


@given(VALUES)
def test_a_value_equals_itself(value: Any) -> None:
    assert equal(value, value)


@given(SMALL, SMALL)
def test_equality_is_pythons(one: Any, other: Any) -> None:
    assert equal(one, other) == (one == other)


@given(VALUES, JSON, st.sampled_from(Relation))
def test_whatever_a_child_sends_is_compared_without_an_error(
    expected: Any, got: Any, relation: Relation
) -> None:
    wanted = Expected(relation=relation, value=pack(expected))
    assert wanted.holds(Output(value=got), EXACT) in (True, False)
