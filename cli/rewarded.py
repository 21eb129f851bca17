"""An algorithm as a project configures it, with what rewards its answers if it is an online one."""

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

from cli.project import Project
from schemas.events import Event, Preference
from trainer.algorithms import Algorithm
from trainer.algorithms import algorithm as known
from trainer.online import OnlineConfig
from trainer.policy import Train, TrainedPolicy, Watch
from trainer.prompt_columns import prompt_columns
from trainer.rewards import AsyncCheckRewards
from trainer.training_config import TrainingConfig
from trainer.weighted_rewards import Reward

Samples = Callable[[], Iterable[Event | None]]
"""The samples so far; asked for where verifiers reward."""


def section(project: Project, name: str, project_dir: Path) -> TrainingConfig:
    """The section of an algorithm; folders of reward models are counted from the project.

    Raises ``ConfigError`` where there is no such algorithm.
    """
    known(name)
    config: TrainingConfig = getattr(project, name)
    return config.beside(project_dir) if isinstance(config, OnlineConfig) else config


def rewarded(
    algorithm: Algorithm[Any],
    config: TrainingConfig,
    project: Project,
    project_dir: Path,
    samples: Samples,
) -> Train:
    """The training; with ``check_weight`` the project's verifiers reward, sandboxed as in verify.

    What the answers are checked against is read from the samples of their prompts.
    """
    if not isinstance(config, OnlineConfig) or not config.check_weight:
        return algorithm.with_config(config)
    weight = config.check_weight

    def train(
        rows: Sequence[Preference], policy_path: Path, out_dir: Path, watch: Watch
    ) -> TrainedPolicy:
        columns = prompt_columns(samples(), {row.prompt_id for row in rows})
        checks = AsyncCheckRewards(project.verify, project_dir)
        try:
            rewards = [Reward(name="checks", function=checks, weight=weight)]
            started = algorithm.with_config(config, rewards=rewards, columns=columns)
            return started(rows, policy_path, out_dir, watch)
        finally:
            checks.close()

    return train
