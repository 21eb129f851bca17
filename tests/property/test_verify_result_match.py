"""The comparer against brute force, and what must never change its answer."""

from itertools import permutations

from hypothesis import given, settings
from hypothesis import strategies as st

from streams.verify.result_match import GoldResult, Match, result_match
from streams.verify.result_rows import Tolerance
from streams.verify.sandbox.result import QueryResult, Row

EXACT = Tolerance(relative=0, absolute=0)
VALUES = st.sampled_from([None, 0, 1, 2, "a", "b", 0.5])


@st.composite
def tables(draw: st.DrawFn, width: int | None = None) -> tuple[Row, ...]:
    columns = width or draw(st.integers(1, 3))
    rows = draw(st.lists(st.tuples(*[VALUES] * columns), min_size=0, max_size=4))
    return tuple(rows)


def result(rows: tuple[Row, ...], width: int) -> QueryResult:
    return QueryResult(columns=("c",) * width, rows=rows)


def oracle(ours: tuple[Row, ...], theirs: tuple[Row, ...], width: int) -> bool:
    """Try every order of columns, and every order of rows."""
    return any(
        list(ours) == [tuple(row[i] for i in columns) for row in rows]
        for columns in permutations(range(width))
        for rows in permutations(theirs)
    )


@given(st.integers(1, 3).flatmap(lambda n: st.tuples(st.just(n), tables(n), tables(n))))
@settings(max_examples=300)
def test_it_agrees_with_brute_force(case: tuple[int, tuple[Row, ...], tuple[Row, ...]]) -> None:
    width, ours, theirs = case
    found = result_match(GoldResult(result=result(ours, width)), result(theirs, width), EXACT)
    assert (found.match is not Match.DIFFERENT) == oracle(ours, theirs, width)


@given(tables(3), st.permutations(range(3)), st.randoms())
def test_a_result_matches_itself_shuffled(rows: tuple[Row, ...], order: list[int], random) -> None:  # type: ignore[no-untyped-def]
    shuffled = [tuple(row[i] for i in order) for row in rows]
    random.shuffle(shuffled)
    found = result_match(GoldResult(result=result(rows, 3)), result(tuple(shuffled), 3), EXACT)
    assert found.match is not Match.DIFFERENT


@given(
    st.lists(st.tuples(st.floats(-1e6, 1e6), st.floats(-1e6, 1e6)), min_size=1, max_size=8),
    st.lists(st.floats(-1, 1), min_size=16, max_size=16),
    st.randoms(),
)
def test_numbers_within_the_tolerance_match(  # type: ignore[no-untyped-def]
    rows: list[tuple[float, float]], noise: list[float], random
) -> None:
    tolerance = Tolerance(relative=0, absolute=1e-3)
    moved = [
        tuple(value + 4e-4 * noise[2 * i + j] for j, value in enumerate(row))
        for i, row in enumerate(rows)
    ]
    random.shuffle(moved)
    found = result_match(
        GoldResult(result=result(tuple(rows), 2)), result(tuple(moved), 2), tolerance
    )
    assert found.match is not Match.DIFFERENT
