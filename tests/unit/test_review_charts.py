"""Answers, differences, the judge's history: what the pages draw is what is there."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consumers.review.answer_text import blocks, difference
from consumers.review.charts import HEIGHT, WIDTH, reliability_chart, series_chart
from consumers.review.judge_health import rubric_health
from consumers.review.judge_series import flips, kappas, length_slopes, position_biases
from schemas.records import ConfusionCell, ReliabilityBin
from tests.events import NOON
from tests.preferences import calibration

_TEXT = st.text(st.sampled_from("ab <&\"'`\n;=é"), max_size=60)


@given(_TEXT)
def test_no_block_holds_markup_of_the_answer(text: str) -> None:
    for block in [*blocks(text), *blocks(f"```sql\n{text}\n```")]:
        rest = block.html.replace("</span>", "")
        assert "<" not in rest.replace('<span class="t-', "")


@given(_TEXT, _TEXT)
def test_a_difference_is_both_texts_and_marks_what_one_lacks(left: str, right: str) -> None:
    ours, theirs = difference(left, right)
    assert "".join(piece.text for piece in ours) == left
    assert "".join(piece.text for piece in theirs) == right
    same = ["".join(p.text for p in side if p.kind == "same") for side in (ours, theirs)]
    assert same[0] == same[1]


def test_code_is_coloured_and_prose_is_not() -> None:
    prose, code = blocks("It sums.\n```sql\nSELECT a FROM t -- all\n```")
    assert (prose.language, prose.html) == (None, "It sums.")
    assert code.language == "sql"
    assert '<span class="t-k">SELECT</span>' in code.html
    assert '<span class="t-c">-- all</span>' in code.html


def test_an_answer_that_is_nothing_but_sql_is_code() -> None:
    assert [block.language for block in blocks("SELECT 1")] == ["sql"]


def test_what_a_verifier_reads_as_code_is_shown_as_code() -> None:
    answer = "Sure:```sql\nSELECT 1\n```\nIt is 1."
    assert [block.language for block in blocks(answer)] == [None, "sql", None]


def test_a_fence_that_never_closes_runs_to_the_end() -> None:
    assert [block.language for block in blocks("so:\n```sql\nSELECT 1")] == [None, "sql"]


def test_a_rubric_has_one_history_and_the_newest_comes_first() -> None:
    later = NOON + timedelta(days=1)
    found = rubric_health(
        [
            calibration(event_id="2", occurred_at=later, kappa=0.9),
            calibration(event_id="1", kappa=0.7),
            calibration(event_id="0", judge_config_hash="old", kappa=0.5),
            calibration(event_id="3", rubric_version="2", occurred_at=later),
            calibration(event_id="4", split="holdout", occurred_at=later),
            calibration(event_id="5", slice="north"),
            calibration(event_id="6", slice="south", judge_config_hash="old"),
        ]
    )
    assert [one.rubric_version for one in found] == ["2", "1"]
    first = found[1]
    assert [[one.kappa for one in history] for history in first.judges] == [[0.5], [0.7, 0.9]]
    assert (first.now.kappa, first.measurements) == (0.9, 3)
    assert [one.slice for one in first.slices] == ["north"]


def test_flips_are_conflicts_among_all_verdicts() -> None:
    cells = [ConfusionCell(human="A", judge=j, n=n) for j, n in (("A", 6), ("CONFLICT", 2))]
    (point,) = flips([calibration(confusion=tuple(cells))])
    assert point.value == 0.25
    assert point.low is not None
    assert point.high is not None
    assert point.low < 0.25 < point.high
    assert flips([calibration()]) == []


def test_biases_have_an_interval_where_their_error_is_known() -> None:
    known = calibration(position_bias=0.2, position_bias_error=0.1, length_slope=-0.3)
    (bias,) = position_biases([known, calibration()])
    assert bias.low == pytest.approx(0.004, abs=1e-3)
    assert bias.high == pytest.approx(0.396, abs=1e-3)
    (slope,) = length_slopes([known])
    assert (slope.value, slope.low, slope.high) == (-0.3, None, None)


def test_a_chart_stays_in_its_frame_and_higher_kappa_is_higher() -> None:
    history = [
        calibration(event_id=str(n), kappa=kappa, lower_bound=kappa - 0.1, upper_bound=kappa + 0.05)
        for n, kappa in enumerate((-0.4, 0.3, 0.95))
    ]
    chart = series_chart([kappas(history)], 0.72, 0, 1)
    heights = [mark.y for mark in chart.marks]
    assert heights == sorted(heights, reverse=True)
    for mark in chart.marks:
        assert 0 <= mark.x <= WIDTH
        assert all(0 <= y <= HEIGHT for y in (mark.y, mark.low_y or 0, mark.high_y or 0))
    assert chart.y_ticks[0].text == "-0.4"


def test_judges_share_the_axis_of_time_and_have_a_line_each() -> None:
    days = [NOON + timedelta(days=n) for n in range(4)]
    old = [calibration(event_id=f"o{n}", occurred_at=days[n]) for n in (0, 2)]
    new = [calibration(event_id=f"n{n}", occurred_at=days[n]) for n in (1, 3)]
    chart = series_chart([kappas(old), kappas(new)], 0.72, 0, 1)
    assert len(chart.lines) == 2
    (first, third), (second, fourth) = (
        [m.x for m in chart.marks[:2]],
        [m.x for m in chart.marks[2:]],
    )
    assert first < second < third < fourth


def test_undefined_kappas_are_not_drawn() -> None:
    assert kappas([calibration(kappa=None)]) == []


def test_an_honest_judge_stands_on_the_diagonal() -> None:
    bins = [
        ReliabilityBin(low=c - 0.05, high=c, n=5, confidence=c, accuracy=c) for c in (0.6, 0.8, 1.0)
    ]
    chart = reliability_chart(bins)
    x1, y1, x2, y2 = chart.rule
    for mark in chart.marks:
        assert abs((mark.y - y1) - (mark.x - x1) * (y2 - y1) / (x2 - x1)) < 0.2
