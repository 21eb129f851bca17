"""Harbor's answers: what is rendered can be read back, and each fault breaks one thing."""

from collections.abc import Callable

import pytest

from examples.harbor.answers import Style, explain, render, split_answer, style_of
from examples.harbor.faults import (
    Filters,
    invented_column,
    is_faithful,
    sql_filters,
    stated_filters,
    unfaithful_value,
    wrong_join,
    wrong_sql,
)
from examples.harbor.mixture import LIKED, drafts
from examples.harbor.questions import Question, questions
from examples.harbor.warehouse import columns

SOME = questions("dev")[:80]


@pytest.mark.parametrize("style", list(Style))
def test_an_answer_splits_into_what_it_was_made_of(style: Style) -> None:
    for question in SOME:
        for seed in range(3):
            text = render(question.sql, explain(question), style, seed)
            sql, explanation = split_answer(text)
            assert sql == question.sql
            assert explanation.startswith(explain(question))
            assert stated_filters(explanation) == question.filters == sql_filters(sql)
            assert is_faithful(sql, explanation)
            assert style_of(text) == style


@pytest.mark.parametrize("fault", [unfaithful_value, invented_column])
def test_an_unfaithful_explanation_differs_in_one_filter(
    fault: Callable[[Question], Filters],
) -> None:
    for question in SOME:
        stated = fault(question)
        assert sum(one != other for one, other in zip(stated, question.filters, strict=True)) == 1
        assert not is_faithful(question.sql, explain(question, stated))


def test_an_invented_column_is_in_no_view() -> None:
    for question in SOME:
        names = {column for column, _ in invented_column(question)}
        assert len(names - columns()) == 1


def test_wrong_sql_keeps_the_filters() -> None:
    for question in SOME:
        assert wrong_sql(question) != question.sql
        assert sql_filters(wrong_sql(question)) == question.filters


def test_wrong_join_needs_a_join() -> None:
    alone = next(question for question in questions("dev") if "JOIN" not in question.sql)
    with pytest.raises(ValueError, match="no join"):
        wrong_join(alone)


@pytest.mark.parametrize(
    ("text", "sql"),
    [
        ("no query at all", ""),
        ("", ""),
        ("```sql\nSELECT 1\n```", "SELECT 1"),
        ("```\nSELECT 1\n``` and so on", "SELECT 1"),
        ("cut off ```sql\nSELECT 1", "SELECT 1"),
    ],
)
def test_any_text_splits(text: str, sql: str) -> None:
    assert split_answer(text)[0] == sql


def test_the_mixture_is_wrong_where_it_is_warm() -> None:
    wrong: dict[Style, list[bool]] = {style: [] for style in Style}
    for question in questions("train")[:800]:
        for text in drafts(question, LIKED, 2):
            wrong[style_of(text)].append(split_answer(text)[0] != question.sql)
    rate = {style: sum(each) / len(each) for style, each in wrong.items()}
    assert rate[Style.CONCISE] < rate[Style.FRIENDLY] < rate[Style.EFFUSIVE]
