"""Recorded judges of LLMBar as a panel: accuracy and coverage, on items nothing was chosen by."""

import asyncio

import pytest

from bench.llmbar_data import DATA
from bench.llmbar_panel import Line, lines

pytestmark = pytest.mark.skipif(
    not DATA.is_dir(), reason=f"the published judge data is not in {DATA}"
)


@pytest.fixture(scope="module")
def found() -> dict[str, Line]:
    return {line.name: line for line in asyncio.run(lines(DATA))}


@pytest.mark.parametrize(
    ("name", "accuracy", "coverage"),
    [
        ("GPT-4 Metrics_Reference, AB alone", 0.846, 1.0),
        ("GPT-4 Metrics_Reference, both orders", 0.903, 0.911),
        ("GPT-4 Swap, both orders", 0.854, 0.958),
        ("GPT-4 Reference, both orders", 0.910, 0.883),
        ("best three: majority", 0.903, 0.911),
        ("best three: log-odds", 0.880, 0.972),
        ("best of three models: majority", 0.849, 0.776),
        ("best of three models: log-odds", 0.897, 0.953),
    ],
)
def test_the_figures_of_the_docs_come_out(
    found: dict[str, Line], name: str, accuracy: float, coverage: float
) -> None:
    assert found[name].accuracy == pytest.approx(accuracy, abs=5e-4)
    assert found[name].coverage == pytest.approx(coverage, abs=5e-4)
    assert found[name].n == 214


def test_weights_let_a_panel_decide_more_without_being_wrong_more_often(
    found: dict[str, Line],
) -> None:
    weighed = found["best three: log-odds"]
    alone = [line for name, line in found.items() if name.endswith("both orders")]
    assert weighed.right > max(line.right for line in alone)
