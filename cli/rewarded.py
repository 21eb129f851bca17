"""An algorithm with what rewards its answers, if it is an online one."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from cli.project import Project
from infra.settings import Settings
from schemas.events import Preference
from trainer.algorithms import Algorithm
from trainer.online import OnlineConfig
from trainer.policy import Train, TrainedPolicy, Watch
from trainer.prompt_columns import read_prompt_columns
from trainer.rewards import AsyncCheckRewards
from trainer.training_config import TrainingConfig
from trainer.weighted_rewards import Reward


def rewarded(
    algorithm: Algorithm[Any],
    config: TrainingConfig,
    project: Project,
    project_dir: Path,
    infra: Settings,
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
        columns = read_prompt_columns(infra, {row.prompt_id for row in rows})
        checks = AsyncCheckRewards(project.verify, project_dir)
        try:
            rewards = [Reward(name="checks", function=checks, weight=weight)]
            started = algorithm.with_config(config, rewards=rewards, columns=columns)
            return started(rows, policy_path, out_dir, watch)
        finally:
            checks.close()

    return train
