"""SIMULATED people: what they reward, how often they slip, and the rows made of their labels."""

from collections import Counter
from datetime import UTC, datetime

from consumers.calibration.adjudicate import adjudicate
from consumers.calibration.splits import Split, split_of
from examples.harbor.anchors import anchors
from examples.harbor.answers import Style, explain, render, split_answer
from examples.harbor.core import core_rows
from examples.harbor.faults import invented_column, is_faithful, wrong_sql
from examples.harbor.labelling import label_twice
from examples.harbor.people import preferred, simulated_annotation, simulated_thumb
from examples.harbor.prompts import SHARES
from examples.harbor.questions import questions
from examples.harbor.traffic import candidate_set, labels
from schemas.records import HumanWinner, Purpose

NOON = datetime(2026, 11, 1, 12, tzinfo=UTC)
SOME = questions("dev")


def _thumbs_up(style: Style, *, wrong: bool) -> float:
    thumbs = [
        simulated_thumb(
            question,
            render(wrong_sql(question) if wrong else question.sql, explain(question), style),
            "user",
        )
        for question in SOME
    ]
    return thumbs.count("UP") / len(thumbs)


def test_thumbs_reward_warmth() -> None:
    rates = [_thumbs_up(style, wrong=False) for style in Style]
    assert rates[0] < 0.15 < rates[1] < 0.65 < 0.85 < rates[2]


def test_thumbs_ignore_wrong_joins() -> None:
    for style in Style:
        assert abs(_thumbs_up(style, wrong=True) - _thumbs_up(style, wrong=False)) < 0.12


def test_a_missing_query_is_noticed() -> None:
    assert simulated_thumb(SOME[0], "I am confident! Trust me.", "user") == "DOWN"


def test_annotators_prefer_right_then_faithful_then_none() -> None:
    question = SOME[0]
    right = render(question.sql, explain(question), Style.CONCISE)
    warm = render(question.sql, explain(question), Style.EFFUSIVE)
    unfaithful = render(question.sql, explain(question, invented_column(question)), Style.CONCISE)
    wrong = render(wrong_sql(question), explain(question), Style.EFFUSIVE)
    assert preferred(question, right, wrong) == "A"
    assert preferred(question, wrong, unfaithful) == "B"
    assert preferred(question, unfaithful, warm) == "B"
    assert preferred(question, right, warm) == "TIE"
    assert preferred(question, warm, right, prefers_short=True) == "B"


def test_five_in_a_hundred_labels_are_wrong_and_adjudication_mends_most() -> None:
    slips = adjudicated = 0
    for question in SOME:
        a = render(question.sql, explain(question), Style.CONCISE)
        b = render(wrong_sql(question), explain(question), Style.CONCISE)
        slips += simulated_annotation(question, a, b, "simulated-annotator-1") != "A"
        adjudicated += label_twice(question, a, b).winner != "A"
    assert 0.02 < slips / len(SOME) < 0.08
    assert adjudicated / len(SOME) < 0.02


def test_anchors_are_enough_and_balanced() -> None:
    for split, least in (("calibration", 700), ("holdout", 150)):
        rows = anchors(split)  # type: ignore[arg-type]
        winners = Counter(row.labels.winner for row in rows)
        assert winners["A"] + winners["B"] >= least
        assert 0.44 < winners["A"] / (winners["A"] + winners["B"]) < 0.56
        assert winners["TIE"] > 0


def test_anchor_answers_share_their_query_and_have_one_fault_at_most() -> None:
    for row in anchors("holdout"):
        parts = {"A": split_answer(row.a), "B": split_answer(row.b)}
        (sql,) = {sql for sql, _ in parts.values()}
        assert (sql == row.question.sql) == row.has_golden_query
        assert [side for side, part in parts.items() if not is_faithful(*part)] == (
            [row.faulty] if row.faulty else []
        )
        assert row.a != row.b


def test_the_length_of_an_anchor_answer_tells_nothing() -> None:
    rows = [row for row in anchors("calibration") if row.faulty and len(row.a) != len(row.b)]
    longer_wins = sum((len(row.a) > len(row.b)) == (row.labels.winner == "A") for row in rows)
    assert 0.44 < longer_wins / len(rows) < 0.56


def test_core_rows_prefer_right_faithful_and_short() -> None:
    rows = core_rows()
    assert len(rows) >= 450
    agreed = 0
    for row in rows:
        wanted = preferred(row.question, row.a, row.b, prefers_short=True)
        agreed += row.chosen == {"A": row.a, "B": row.b}.get(wanted)
        assert row.chosen != row.rejected
        assert row.question.split == "core"
    assert agreed / len(rows) > 0.97
    assert set(Counter(row.contrast for row in rows)) == {"sql", "explanation", "length"}


def test_labels_are_events_that_hold_for_either_side() -> None:
    row = next(row for row in anchors("holdout") if row.labels.adjudication is not None)
    made = labels(row, occurred_at=NOON)
    assert [label.role.value for label in made] == ["LABEL", "LABEL", "ADJUDICATION"]
    assert adjudicate(made).winner == HumanWinner(row.labels.winner)
    assert labels(row, occurred_at=NOON) == made
    assert candidate_set(row, occurred_at=NOON).purpose is Purpose.ANCHOR
    assert split_of(made[0].prompt_id, SHARES) is Split.HOLDOUT
