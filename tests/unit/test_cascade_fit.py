"""The bound of a cascade: what it settles, what it may lose, and when there is none."""

import math
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consumers.calibration.cascade_fit import CascadeFit, WantedCascade, fit_cascade
from consumers.calibration.judged_anchor import JudgedAnchor, judged_anchor
from schemas.errors import ConfigError
from schemas.records import Opinion, Order, Winner
from streams.judge.cascade import sureness
from streams.judge.panel import Panel
from streams.judge.verdict import decide
from tests.unit.judge_case import opinion

PANEL = Panel.model_validate(
    {
        "id": "p",
        "version": "1",
        "method": "log_odds",
        "members": [
            {"name": name, "model": f"openai:{name}", "rubric": "tone/1", "weight": weight}
            for name, weight in (("quick", 1.0), ("strong", 10.0))
        ],
    }
)


def favouring(winner: Winner, margin: float, name: str) -> list[Opinion]:
    """Opinions whose m is ``margin`` in favour of ``winner``."""
    p = 1 / (1 + math.exp(-margin))
    found = []
    for order in Order:
        first = (winner is Winner.A) == (order is Order.AB)
        said = opinion(order, (p, 1 - p, 0.0) if first else (1 - p, p, 0.0))
        found.append(said.model_copy(update={"member": name}))
    return found


def anchor(margin: float, *, quick_errs: bool) -> JudgedAnchor:
    """People and the strong member say A."""
    said = favouring(Winner.B if quick_errs else Winner.A, margin, "quick")
    return judged_anchor(Winner.A, [*said, *favouring(Winner.A, 3.0, "strong")])


def fitted(
    heard: Sequence[JudgedAnchor], max_loss: float = 0.02, first: str = "quick"
) -> CascadeFit:
    return fit_cascade(PANEL, WantedCascade(first=first, max_loss=max_loss), heard)


def test_the_bound_stands_above_the_errors_that_the_panel_repairs() -> None:
    sure = [anchor(3.0 + n / 1000, quick_errs=False) for n in range(300)]
    unsure = [anchor(1.0 + n / 1000, quick_errs=n % 2 == 0) for n in range(100)]
    found = fitted([*sure, *unsure])
    # of 400, three losses are still at most 2.0 % with 95 % confidence, and the fourth is not
    assert 1.0 < found.cascade.settled_margin < 3.0
    assert found.settled >= 300
    assert 0 < found.lost < 4
    assert found.lost_at_most <= 0.02


def test_without_an_error_all_is_settled_and_the_words_say_how_sure_that_is() -> None:
    found = fitted([anchor(1.0 + n / 100, quick_errs=False) for n in range(200)])
    assert found.cascade.settled_margin == pytest.approx(1.0)
    assert (
        found.said == "settles 200 of 200, loses 0 that the panel gets right (at most 1.49%, 95 %)"
    )


def test_too_few_anchors_prove_nothing() -> None:
    with pytest.raises(ConfigError, match="takes 149 anchors even without a loss; label more"):
        fitted([anchor(2.0, quick_errs=False) for _ in range(100)])


def test_a_member_without_probabilities_cannot_be_sure() -> None:
    voted = [
        opinion(order, answer=Winner.A).model_copy(update={"member": "quick"}) for order in Order
    ]
    heard = [judged_anchor(Winner.A, [*voted, *favouring(Winner.A, 3.0, "strong")])]
    with pytest.raises(ConfigError, match="sure of no anchor"):
        fitted(heard)


def test_a_tie_is_as_sure_as_its_lesser_lead() -> None:
    ties = [opinion(Order.AB, (0.1, 0.1, 0.8)), opinion(Order.BA, (0.2, 0.1, 0.7))]
    assert sureness(decide(*ties), ties) == pytest.approx(math.log(0.7 / 0.2))


@given(
    st.lists(st.tuples(st.sampled_from([0.5, 1.0, 2.0, 4.0]), st.booleans()), min_size=1),
    st.floats(0.01, 0.5),
)
def test_what_it_says_is_what_the_cascade_does(
    cases: list[tuple[float, bool]], max_loss: float
) -> None:
    heard = [anchor(margin, quick_errs=errs) for margin, errs in cases]
    try:
        found = fitted(heard, max_loss)
    except ConfigError:
        return
    settled = [
        one
        for one in heard
        if (sureness(one.verdicts["quick"], one.opinions["quick"]) or 0)
        >= found.cascade.settled_margin
    ]
    assert found.settled == len(settled)
    assert found.lost == sum(one.verdicts["quick"].winner is not one.human for one in settled)
    assert found.lost / len(heard) <= found.lost_at_most <= max_loss
