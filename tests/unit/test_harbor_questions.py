"""Harbor's questions: enough of them, and no split sees another's."""

from itertools import combinations

import pytest

from examples.harbor.faults import sql_filters
from examples.harbor.questions import SPLITS, Split, questions
from examples.harbor.templates import TEMPLATES


def test_there_are_enough_templates_and_questions() -> None:
    assert len(TEMPLATES) >= 25
    assert sum(len(questions(split)) for split in SPLITS) >= 2500


@pytest.mark.parametrize(
    ("split", "least"), [("train", 1000), ("anchors", 1000), ("core", 500), ("benchmark", 400)]
)
def test_each_split_is_large_enough(split: Split, least: int) -> None:
    assert len(questions(split)) >= least


@pytest.mark.parametrize(("one", "other"), list(combinations(SPLITS, 2)))
def test_splits_share_no_text_and_no_golden_query(one: Split, other: Split) -> None:
    for part in ("text", "sql", "id"):
        mine, theirs = (
            {getattr(question, part) for question in questions(split)} for split in (one, other)
        )
        assert not mine & theirs


@pytest.mark.parametrize("split", SPLITS)
def test_a_question_states_its_filters_and_reads_only_views(split: Split) -> None:
    for question in questions(split):
        assert 1 <= len(question.filters) <= 3
        assert question.filters == sql_filters(question.sql)
        assert all(value in question.text for _, value in question.filters)
        assert "raw_" not in question.sql
        assert question.split == split


def test_every_template_is_in_every_split() -> None:
    names = {template.name for template in TEMPLATES}
    for split in SPLITS:
        assert {question.template for question in questions(split)} == names


def test_question_texts_are_unique() -> None:
    texts = [question.text for split in SPLITS for question in questions(split)]
    assert len(texts) == len(set(texts))
