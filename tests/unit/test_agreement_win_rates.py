"""Win rates of models by people and by the judge, and whether they go together."""

import numpy as np
import pytest
from scipy.stats import pearsonr, spearmanr

from consumers.agreement.report import report
from consumers.agreement.rows import AgreementRows, parse_row
from consumers.agreement.win_rates import Battle, win_rates


def battle(a: str, b: str, human: str, judge: str | None = None) -> Battle:
    return Battle(model_a=a, model_b=b, human=human, judge=judge or human)


def test_ties_count_half_and_a_model_against_itself_nothing() -> None:
    found = win_rates(
        [battle("x", "y", "A"), battle("x", "y", "tie", "model_b"), battle("x", "x", "B")]
    )
    assert (found.models["x"].human, found.models["x"].judge, found.models["x"].n) == (0.75, 0.5, 2)
    assert found.models["y"].human == 0.25


def test_a_judge_that_ranks_as_people_do_correlates() -> None:
    draw = np.random.default_rng(3)
    names = ["weak", "fair", "good", "best"]
    battles = []
    for _ in range(2000):
        a, b = draw.choice(4, size=2, replace=False)
        human = "A" if draw.random() < 1 / (1 + np.exp(b - a)) else "B"
        judge = human if draw.random() < 0.8 else draw.choice(["A", "B"])
        battles.append(battle(names[a], names[b], human, str(judge)))
    found = win_rates(battles)
    rates = [(one.human, one.judge) for one in found.models.values()]
    assert found.spearman == pytest.approx(1.0)
    assert found.pearson == pytest.approx(pearsonr(*zip(*rates, strict=True)).statistic)
    assert found.spearman == pytest.approx(spearmanr(*zip(*rates, strict=True)).statistic)
    turned = [
        battle(one.model_a, one.model_b, one.human, "B" if one.judge == "A" else "A")
        for one in battles
    ]
    assert (win_rates(turned).pearson or 0) < -0.9


def test_where_there_is_no_correlation_it_says_why() -> None:
    two = win_rates([battle("x", "y", "A")])
    assert (two.pearson, two.undefined) == (
        None,
        "2 models were compared; a correlation needs 3 or more",
    )
    alike = win_rates([battle(a, b, "tie") for a, b in ("xy", "yz", "zx")])
    assert alike.pearson is None
    assert "all models win alike" in (alike.undefined or "")


def test_rows_with_models_give_win_rates_and_one_model_alone_is_refused() -> None:
    row = {"item": "1", "human": "A", "judge": "B", "model_a": "x", "model_b": "y"}
    found = report(AgreementRows(rows=(parse_row(row),), repeated=0))
    assert found.win_rates is not None
    assert found.win_rates.models["x"].human == 1
    assert report(AgreementRows(rows=(), repeated=0)).win_rates is None
    with pytest.raises(ValueError, match="go together"):
        parse_row({"item": "1", "human": "A", "judge": "B", "model_a": "x"})
