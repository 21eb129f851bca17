"""Which trial is taken: near the best win rate, the one that moves the policy least."""

from pathlib import Path

import pytest

from cli.tune_job import Grid, betas_near
from schemas.errors import ConfigError
from tests.command_line import prefstream
from trainer.anchor_wins import WinRate
from trainer.dpo import DpoConfig
from trainer.lora import LoraSettings
from trainer.simpo import SimpoConfig
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


@pytest.mark.parametrize(
    ("beta", "rate", "said"),
    [
        (-1.0, 1e-4, r"--beta -1\.0: Input should be greater than 0"),
        (float("nan"), 1e-4, "--beta nan: Input should be a finite number"),
        (0.1, -3.0, r"--learning-rate -3\.0: Input should be greater than 0"),
    ],
)
def test_what_no_training_can_be_set_to_is_refused(beta: float, rate: float, said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        Grid(betas=(0.1, beta), learning_rates=(rate,)).points(DpoConfig())


def test_every_beta_is_tried_with_every_learning_rate() -> None:
    config = DpoConfig(epochs=3, lora=LoraSettings(rank=4))
    points = Grid(betas=(0.1, 0.3), learning_rates=(1e-4, 1e-5)).points(config)
    assert [(one.beta, one.learning_rate) for one in points] == [
        (0.1, 1e-4),
        (0.1, 1e-5),
        (0.3, 1e-4),
        (0.3, 1e-5),
    ]
    assert points[2].config == config.model_copy(update={"beta": 0.3, "learning_rate": 1e-4})


def test_the_rows_of_a_manifest_are_chosen(tmp_path: Path) -> None:
    refused = prefstream(
        *("tune", "--policy", tmp_path, "--anchors", tmp_path / "a.jsonl", "--out", tmp_path / "o"),
        *("--manifest", tmp_path / "data", "--judge-config", "current"),
    )
    assert isinstance(refused.exception, ConfigError)
    assert "the rows of a --manifest are chosen: leave it out" in str(refused.exception)


def test_the_trials_of_another_search_are_not_removed(tmp_path: Path) -> None:
    (tmp_path / "tuning.json").write_text("{}", encoding="utf-8")
    refused = prefstream(
        *("tune", "--policy", tmp_path, "--anchors", tmp_path / "a.jsonl", "--out", tmp_path)
    )
    assert isinstance(refused.exception, ConfigError)
    assert "holds the trials of another search" in str(refused.exception)


def test_the_highest_win_rate_is_taken_where_it_stands_out() -> None:
    assert best([trial(0.03, 0.70), trial(0.1, 0.60), trial(0.3, 0.55)], "dpo").beta == 0.03


def test_within_its_error_the_largest_beta_is_taken() -> None:
    assert best([trial(0.03, 0.70), trial(0.1, 0.69), trial(0.3, 0.60)], "dpo").beta == 0.1


def test_of_orpo_the_smallest_beta_moves_least() -> None:
    """It weighs the pairs beside the chosen answers' likelihood; there is no reference."""
    assert best([trial(0.03, 0.69), trial(0.1, 0.70), trial(0.01, 0.60)], "orpo").beta == 0.03


def test_betas_are_tried_around_the_sections_own() -> None:
    assert betas_near(DpoConfig().beta) == [0.03, 0.1, 0.3]
    assert betas_near(SimpoConfig().beta) == [0.6, 2.0, 6.0]


def test_then_the_lowest_learning_rate() -> None:
    trials = [trial(0.1, 0.70, rate=3e-4), trial(0.1, 0.69, rate=1e-4)]
    assert best(trials, "dpo").learning_rate == 1e-4


def test_a_refused_trial_is_never_taken() -> None:
    assert best([trial(0.3, None), trial(0.1, 0.5)], "dpo").beta == 0.1


def test_no_trial_that_trained_is_an_error_with_the_gates_words() -> None:
    with pytest.raises(ConfigError, match="kappa: INCONCLUSIVE"):
        best([trial(0.3, None)], "dpo")
