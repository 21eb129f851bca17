"""The human share, reached by leaving rows out or refused."""

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from schemas.events import Preference
from schemas.records import PreferenceSource, Verdict
from tests.preferences import human, preference
from trainer.blend import Blend, BlendSettings, blend
from trainer.slice_level import slice_level


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


def test_of_what_is_missing_a_weight_takes_its_part_too() -> None:
    """Five of ten count, thirteen must: of ever so many as are missing half are left out."""
    settings = BlendSettings(weights={PreferenceSource.HUMAN: 0.5})
    gate = blend(rows(10, 100), settings).gate
    assert "5 of 10 human rows beside 100 others: 16 more human rows are missing" in gate.detail
    assert blend(rows(26, 100), settings).gate.verdict is Verdict.PASS
    assert blend(rows(24, 100), settings).gate.verdict is Verdict.INCONCLUSIVE


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


def sliced(**sizes: int) -> list[Preference]:
    """That many rlaif rows of each slice, and enough human ones."""
    others = [
        preference(f"{name}{n}", slice=name) for name, size in sizes.items() for n in range(size)
    ]
    return others + [human(f"h{n}") for n in range(sum(sizes.values()))]


def sizes(result: Blend) -> dict[str, int]:
    return dict(Counter(row.slice for row in result.rows if row.source is PreferenceSource.RLAIF))


def test_a_source_counts_less_by_its_weight() -> None:
    verified = [preference(f"v{n}", source=PreferenceSource.VERIFIER) for n in range(70)]
    settings = BlendSettings(weights={PreferenceSource.VERIFIER: 0.1})
    result = blend([*rows(60, 70), *verified], settings)
    assert result.down_sampled == {"HUMAN": 27, "VERIFIER": 63}
    assert "63 by the weight of VERIFIER" in result.gate.detail
    assert "27 by the human share" in result.gate.detail


def test_large_slices_are_balanced_and_capped() -> None:
    given_rows = sliced(joins=80, dates=20)
    assert sizes(blend(given_rows, BlendSettings())) == {"joins": 80, "dates": 20}
    assert sizes(blend(given_rows, BlendSettings(slice_balance=0.5))) == {"joins": 40, "dates": 20}
    assert sizes(blend(given_rows, BlendSettings(slice_balance=1))) == {"joins": 20, "dates": 20}
    assert sizes(blend(given_rows, BlendSettings(max_slice_rows=30))) == {"joins": 30, "dates": 20}
    capped = blend(given_rows, BlendSettings(max_slice_share=0.6))
    assert sizes(capped) == {"joins": 30, "dates": 20}
    assert "50 by the size of slice joins" in capped.gate.detail


def test_a_share_that_no_slices_can_keep_to_is_refused() -> None:
    result = blend(sliced(joins=8, dates=2), BlendSettings(max_slice_share=0.4))
    assert (result.rows, result.gate.verdict) == ((), Verdict.FAIL)
    assert "raise blend.max_slice_share" in result.gate.detail


@given(
    st.dictionaries(st.sampled_from("abcdef"), st.integers(1, 50), min_size=1),
    st.floats(0, 1),
    st.floats(0.01, 1),
)
def test_no_slice_has_more_than_its_share(
    counts: dict[str, int], balance: float, share: float
) -> None:
    level = slice_level(counts, balance=balance, max_share=share)
    stay = [min(n, level) for n in counts.values()]
    assert (level == 0) == (share < 1 / len(counts) - 1e-9)
    if level:
        assert max(stay) <= share * sum(stay) + 1e-6
