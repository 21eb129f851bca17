"""Which trial is taken: near the best win rate, the one that moves the policy least."""

from pathlib import Path

import pytest

from schemas.errors import ConfigError
from trainer.anchor_wins import WinRate
from trainer.tuning import Trial, best


def trial(beta: float, value: float | None, error: float = 0.02, rate: float = 1e-4) -> Trial:
    return Trial(
        beta=beta,
        learning_rate=rate,
        wins=WinRate(n=100 if value else 0, value=value, error=error),
        policy=Path("trial"),
        run_id="r",
        seconds=1.0,
        refusal="" if value else "kappa: INCONCLUSIVE",
    )


def test_the_highest_win_rate_is_taken_where_it_stands_out() -> None:
    assert best([trial(0.03, 0.70), trial(0.1, 0.60), trial(0.3, 0.55)]).beta == 0.03


def test_within_its_error_the_largest_beta_is_taken() -> None:
    assert best([trial(0.03, 0.70), trial(0.1, 0.69), trial(0.3, 0.60)]).beta == 0.1


def test_then_the_lowest_learning_rate() -> None:
    trials = [trial(0.1, 0.70, rate=3e-4), trial(0.1, 0.69, rate=1e-4)]
    assert best(trials).learning_rate == 1e-4


def test_a_refused_trial_is_never_taken() -> None:
    assert best([trial(0.3, None), trial(0.1, 0.5)]).beta == 0.1


def test_no_trial_that_trained_is_an_error_with_the_gates_words() -> None:
    with pytest.raises(ConfigError, match="kappa: INCONCLUSIVE"):
        best([trial(0.3, None)])
