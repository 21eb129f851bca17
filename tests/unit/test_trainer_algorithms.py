"""Which algorithm a name stands for, and what their configurations refuse."""

from pathlib import Path

import pytest
from pydantic import ValidationError

from cli.project import Project, load_project
from schemas.errors import ConfigError
from tests.preferences import human, preference
from trainer.algorithms import ALGORITHMS, algorithm
from trainer.dpo import DpoConfig
from trainer.kto import KtoConfig
from trainer.reward import margin


def test_ppo_is_refused_by_naming_what_has_its_clipped_surrogate() -> None:
    with pytest.raises(ConfigError, match="no PPO trainer; take grpo"):
        algorithm("ppo")


def test_an_unknown_name_is_refused_by_naming_those_there_are() -> None:
    with pytest.raises(ConfigError, match="no algorithm 'dppo'; choose one of sft, dpo, orpo"):
        algorithm("dppo")


@pytest.mark.parametrize("name", ALGORITHMS)
def test_every_algorithm_has_its_section_of_the_project(name: str) -> None:
    assert type(getattr(Project(), name)) is algorithm(name).config


@pytest.mark.parametrize("loss", ["sigmoid", "sigmoid_norm"])
def test_a_flip_rate_without_the_robust_loss_is_refused(loss: str) -> None:
    with pytest.raises(ValidationError, match="set loss_type: robust or leave label_flip_rate out"):
        DpoConfig.model_validate({"loss_type": loss, "label_flip_rate": 0.1})


@pytest.mark.parametrize("rate", [0.5, -0.1])
def test_a_flip_rate_that_means_nothing_is_refused(rate: float) -> None:
    with pytest.raises(ValidationError, match="label_flip_rate"):
        DpoConfig(loss_type="robust", label_flip_rate=rate)


def test_the_sentence_about_the_flip_rate_names_the_file(tmp_path: Path) -> None:
    (tmp_path / "pipeline.yaml").write_text("dpo: {label_flip_rate: 0.1}\n", encoding="utf-8")
    with pytest.raises(ConfigError, match=r"pipeline.yaml.*dpo.*loss_type robust only"):
        load_project(tmp_path)


def test_kto_needs_a_neighbour_in_its_batch() -> None:
    with pytest.raises(ValidationError, match="batch_size"):
        KtoConfig(batch_size=1)


def test_the_margin_is_the_judges_certainty_and_0_where_no_judge_decided() -> None:
    assert margin(preference("sure", margin=-2.5)) == 2.5
    assert margin(human("ann")) == 0.0
