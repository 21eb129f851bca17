"""The human share, reached by leaving rows out or refused."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from schemas.events import Preference
from schemas.records import PreferenceSource, Verdict
from tests.preferences import human, preference
from trainer.blend import Blend, BlendSettings, blend


def rows(n_human: int, n_others: int) -> list[Preference]:
    return [human(f"h{n}") for n in range(n_human)] + [preference(f"r{n}") for n in range(n_others)]


def mixed(n_human: int, n_others: int) -> Blend:
    return blend(rows(n_human, n_others), BlendSettings())


def human_share(result: Blend) -> float:
    people = sum(row.source is PreferenceSource.HUMAN for row in result.rows)
    return people / len(result.rows)


def test_too_many_human_rows_are_left_out() -> None:
    result = mixed(100, 70)
    assert human_share(result) == 0.3
    assert result.down_sampled == {"HUMAN": 70}


def test_too_few_human_rows_leave_others_out() -> None:
    result = mixed(30, 100)
    assert human_share(result) == 0.3
    assert result.down_sampled == {"RLAIF": 30}


def test_no_more_than_half_of_the_others_are_left_out() -> None:
    result = mixed(15, 100)
    assert human_share(result) == pytest.approx(15 / 65)
    assert result.down_sampled == {"RLAIF": 50}


def test_too_few_human_rows_are_refused_with_what_is_missing() -> None:
    result = mixed(10, 100)
    assert (result.rows, result.gate.verdict) == ((), Verdict.INCONCLUSIVE)
    assert "3 more human rows are missing" in result.gate.detail
    assert mixed(13, 100).gate.verdict is Verdict.PASS


@pytest.mark.parametrize(("people", "others"), [(0, 0), (0, 100), (100, 0), (5, 1)])
def test_one_source_alone_is_refused(people: int, others: int) -> None:
    result = mixed(people, others)
    assert (result.rows, result.gate.verdict) == ((), Verdict.INCONCLUSIVE)
    assert result.gate.detail


@given(st.integers(0, 150), st.integers(0, 150))
def test_the_share_is_in_range_or_the_blend_is_refused(people: int, others: int) -> None:
    result = mixed(people, others)
    if result.gate.verdict is Verdict.PASS:
        assert 0.2 <= human_share(result) <= 0.4
        assert len(result.rows) + sum(result.down_sampled.values()) == people + others
    else:
        assert result.rows == ()


def test_the_same_rows_in_another_order_blend_alike() -> None:
    given_rows = rows(30, 100)
    assert blend(given_rows, BlendSettings()) == blend(given_rows[::-1], BlendSettings())
    other = blend(given_rows, BlendSettings(seed="other"))
    assert other.rows != blend(given_rows, BlendSettings()).rows


def test_contradictory_shares_are_refused() -> None:
    with pytest.raises(ValidationError, match="human_share must lie between"):
        BlendSettings(human_share=0.5)
