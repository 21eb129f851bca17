"""When two results are the same, under each of the named semantics."""

from datetime import date, datetime
from decimal import Decimal

import pytest

from streams.verify.result_match import (
    GoldResult,
    Match,
    MatchRules,
    bird_set,
    result_match,
    row_count_agrees,
    spider_exec,
)
from streams.verify.result_rows import Tolerance
from streams.verify.sandbox.result import QueryResult, Row
from streams.verify.semantics import as_spider_does, mended

TOLERANCE = Tolerance()


def result(*rows: Row) -> QueryResult:
    columns = tuple(f"c{i}" for i in range(len(rows[0]))) if rows else ("c0",)
    return QueryResult(columns=columns, rows=rows)


def gold(*rows: Row, ties: tuple[int, ...] | None = None, ordered_text: bool = False) -> GoldResult:
    return GoldResult(result=result(*rows), ties=ties, ordered_text=ordered_text)


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        ([(1, "a"), (2, "b")], [(2, "b"), (1, "a")]),
        ([(1, "a"), (2, "b")], [("a", 1), ("b", 2)]),
        ([(1,), (1,), (2,)], [(2,), (1,), (1,)]),
        ([(None, 1)], [(1, None)]),
        ([(0.1 + 0.2,)], [(0.3,)]),
        ([(Decimal("2.50"),)], [(2.5,)]),
        ([(1,)], [(1.0,)]),
        ([(date(2024, 1, 1),)], [(datetime(2024, 1, 1),)]),
        ([(1.0, 5.0), (1.0 + 1e-9, 4.0)], [(1.0 + 1e-9, 5.0), (1.0, 4.0)]),
        ([(float("nan"),)], [(float("nan"),)]),
    ],
)
def test_the_same_rows_match(ours: list[Row], theirs: list[Row]) -> None:
    assert result_match(gold(*ours), result(*theirs), TOLERANCE).match is Match.EQUAL


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        ([(1,)], [(2,)]),
        ([(1,), (1,)], [(1,), (2,)]),
        ([(1, 2), (2, 1)], [(1, 1), (2, 2)]),
        ([(1,)], [(1, 1)]),
        ([(1,)], []),
        ([(1,)], [("1",)]),
        ([(1,)], [(True,)]),
        ([(2.50,)], [(2.51,)]),
        ([(None,), (1,)], [(1,), (1,)]),
        ([(2**53,)], [(2**53 + 1,)]),
        ([(1, 1), (2, 1)], [(1, 1), (1, 2)]),
    ],
)
def test_other_rows_differ(ours: list[Row], theirs: list[Row]) -> None:
    found = result_match(gold(*ours), result(*theirs), TOLERANCE)
    if ours == [(1, 1), (2, 1)]:  # swapping the columns makes them equal
        assert found.match is Match.EQUAL
    else:
        assert found.match is Match.DIFFERENT


@pytest.mark.parametrize("rows", [[], [(0,)], [(None,)], [(0, None)], [(0.0,)]])
def test_equality_of_nothing_shows_nothing(rows: list[Row]) -> None:
    assert result_match(gold(*rows), result(*rows), TOLERANCE).match is Match.UNTOLD


def test_order_counts_only_where_gold_orders() -> None:
    rows: list[Row] = [(1,), (2,), (3,)]
    backwards = result(*reversed(rows))
    assert result_match(gold(*rows), backwards, TOLERANCE).match is Match.EQUAL
    assert result_match(gold(*rows, ties=(1, 1, 1)), backwards, TOLERANCE).match is Match.DIFFERENT


def test_tied_rows_may_stand_in_any_order() -> None:
    ordered = gold(("a", 1), ("b", 1), ("c", 2), ties=(2, 1))
    same = result(("b", 1), ("a", 1), ("c", 2))
    other = result(("a", 1), ("c", 2), ("b", 1))
    assert result_match(ordered, same, TOLERANCE).match is Match.EQUAL
    assert result_match(ordered, other, TOLERANCE).match is Match.DIFFERENT


def test_a_truncated_match_shows_nothing() -> None:
    cut = QueryResult(columns=("a",), rows=((1,), (2,)), truncated=True)
    assert result_match(GoldResult(result=cut), cut, TOLERANCE).match is Match.UNTOLD


def test_columns_that_are_all_alike_are_given_up_on() -> None:
    wide = tuple(range(12))
    ours = [tuple((i + j) % 12 for i in wide) for j in wide]
    theirs = [tuple((i * 5 + j) % 12 for i in wide) for j in wide]
    found = result_match(gold(*ours), result(*theirs), TOLERANCE)
    assert found.match in (Match.UNTOLD, Match.EQUAL, Match.DIFFERENT)


def test_spider_semantics() -> None:
    assert spider_exec(gold(), result(), TOLERANCE).match is Match.EQUAL
    assert spider_exec(gold((0,)), result((0,)), TOLERANCE).match is Match.EQUAL
    assert spider_exec(gold((0.3,)), result((0.1 + 0.2,)), TOLERANCE).match is Match.DIFFERENT
    assert spider_exec(gold((1, "a")), result(("a", 1)), TOLERANCE).match is Match.EQUAL
    ordered = gold((1,), (2,), ordered_text=True)
    assert spider_exec(ordered, result((2,), (1,)), TOLERANCE).match is Match.DIFFERENT


def test_spider_mends_and_strips_queries() -> None:
    sql = "SELECT count(DISTINCT a) FROM t WHERE b > = 1 AND c = 'distinct'"
    assert as_spider_does(sql, "sqlite") == (
        "SELECT count( a) FROM t WHERE b >= 1 AND c = 'distinct'"
    )
    assert mended("SELECT DISTINCT a", "sqlite") == "SELECT DISTINCT a"
    assert mended("x < YEAR( CURDATE() )", "sqlite") == "x < 2020"


def test_bird_semantics() -> None:
    assert bird_set(gold((1,), (1,)), result((1,)), TOLERANCE).match is Match.EQUAL
    assert bird_set(gold((1, 2)), result((2, 1)), TOLERANCE).match is Match.DIFFERENT


def test_row_count_is_within_a_thousandth() -> None:
    thousand = result(*[(i,) for i in range(1000)])
    assert row_count_agrees(thousand, result(*[(0,)] * 1001))
    assert not row_count_agrees(thousand, result(*[(0,)] * 1002))
    assert row_count_agrees(result(), result())
    assert not row_count_agrees(result((1,)), result())


@pytest.mark.parametrize(
    ("rules", "ours", "theirs"),
    [
        (MatchRules(any_column_order=False), [(1, "a"), (2, "b")], [("a", 1), ("b", 2)]),
        (MatchRules(), [(1,), (1,), (2,)], [(1,), (2,)]),
        (MatchRules(), [(2,), (1,)], [(1,), (2,)]),
    ],
)
def test_a_rule_that_is_on_tells_apart_what_it_lets_pass_off(
    rules: MatchRules, ours: list[Row], theirs: list[Row]
) -> None:
    golden = gold(*ours, ties=(1,) * len(ours))
    loose = MatchRules(any_column_order=True, row_order=False, duplicates=False)
    assert result_match(golden, result(*theirs), TOLERANCE, rules).match is Match.DIFFERENT
    assert result_match(golden, result(*theirs), TOLERANCE, loose).match is Match.EQUAL


def test_sets_of_rows_still_differ_by_a_row() -> None:
    rules = MatchRules(duplicates=False)
    for theirs in ([(1,), (3,)], [(1,), (2,), (3,)], [(1,)], []):
        found = result_match(gold((1,), (2,), (2,)), result(*theirs), TOLERANCE, rules)
        assert found.match is Match.DIFFERENT
