"""Criterion R4 worked out: what is held against what, and who wins."""

import pytest

from examples.harbor.answers import Style, explain, render
from examples.harbor.faults import invented_column, unfaithful_value
from examples.harbor.judge.faithfulness import better, citation, faults, match, opinion
from examples.harbor.questions import questions

REGION, TIER, YEAR = ("region", "EMEA"), ("tier", "Gold"), ("order_year", "2023")


def test_filters_are_held_against_what_is_stated_for_their_column() -> None:
    found = match((REGION, TIER), (TIER, REGION))
    assert [each.met for each in found] == [True, True]


def test_a_renamed_column_is_one_fault() -> None:
    found = match((REGION, TIER), (("sales_area", "EMEA"), TIER))
    assert [(each.stated, each.met) for each in found] == [
        (("sales_area", "EMEA"), False),
        (TIER, True),
    ]


def test_what_is_not_stated_and_what_is_too_much_are_faults() -> None:
    assert [each.met for each in match((REGION, TIER), (REGION,))] == [True, False]
    assert [each.met for each in match((REGION,), (REGION, TIER))] == [True, False]


@pytest.mark.parametrize("question", questions("dev")[:40], ids=lambda question: question.id)
def test_simulated_answers_have_the_faults_that_were_planted(question) -> None:  # type: ignore[no-untyped-def]
    good = render(question.sql, explain(question), Style.CONCISE)
    value, column = (
        render(question.sql, explain(question, plant(question)), Style.EFFUSIVE)
        for plant in (unfaithful_value, invented_column)
    )
    assert [faults(each) for each in (good, value, column)] == [0, 1, 1]
    assert better(good, value) == "A"
    assert better(column, good) == "B"
    assert better(value, column) == "tie"


def test_the_citation_quotes_what_is_stated() -> None:
    sql = "SELECT 1\nFROM v_revenue_customers c\nWHERE c.region = 'EMEA' AND c.tier = 'Gold'"
    answer = render(sql, "It counts where region is APAC.", Style.CONCISE)
    assert citation("A", answer) == "A R4: region APAC unmet; none unmet"
    assert opinion(answer, answer).endswith("\nVerdict: tie")
