"""What is planted in a column that a golden query compares with a constant."""

from datetime import date

import pytest

from streams.verify.instances.neighbours import Planted, planted


@pytest.mark.parametrize(
    ("constant", "known", "wanted"),
    [
        (18, (1, 2), {17, 18, 19}),
        (18, ("1", "2"), {"17", "18", "19"}),
        ("7", (1, 2), {6, 7, 8}),
        ("2024-03-01", ("2020-01-01",), {"2024-02-29", "2024-03-01", "2024-03-02"}),
        ("2023", ("2020-05-06",), {"2022-05-06", "2023-05-06", "2024-05-06"}),
        ("2023", ("2020-05-06",), {f"2023-{month}-15" for month in ("02", "05", "08", "11")}),
        (2023, (date(2020, 5, 6),), {date(2022, 5, 6), date(2023, 5, 6), date(2023, 11, 15)}),
        ("%Hey%", ("x",), {"Hey", "aHeyz"}),
    ],
)
def test_what_is_planted_lies_around_the_constant_in_the_columns_own_type(
    constant: str | int, known: tuple[str | int | date, ...], wanted: set[object]
) -> None:
    found = planted(constant, known)
    assert wanted <= {*found.exact, *found.near}


@pytest.mark.parametrize(
    ("constant", "known"),
    [("Q2", (date(2020, 5, 6),)), ("%Y", ("2020-05-06",)), ("web", (1, 2)), ("web", (1.5,))],
)
def test_what_a_column_cannot_hold_is_not_planted_there(
    constant: str, known: tuple[str | int | float | date, ...]
) -> None:
    assert planted(constant, known) == Planted()
