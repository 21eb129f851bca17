"""The training algorithms by name, each with the configuration it takes."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Generic, TypeVar

from schemas.errors import ConfigError
from schemas.events import Preference
from trainer import dpo, grpo, kto, orpo, reward, rloo, sft, simpo
from trainer.policy import Kind, Train, TrainedPolicy, Watch
from trainer.training_config import TrainingConfig

C = TypeVar("C", bound=TrainingConfig)

_NO_PPO = (
    "there is no algorithm ppo: TRL 1.16 has no PPO trainer; take grpo, which has PPO's clipped "
    "surrogate (epsilon) and a KL term (beta) and needs no value model"
)


@dataclass(frozen=True, kw_only=True)
class Algorithm(Generic[C]):
    """``train(dataset, policy_path, config, out_dir, watch)`` with its configuration's type."""

    train: Callable[..., TrainedPolicy]
    config: type[C]
    makes: Kind = "policy"

    def with_config(self, config: TrainingConfig, **options: object) -> Train:
        """``train`` as a run takes it, with the algorithm's own options (rewards of an online one).

        Raises ``TypeError`` for another algorithm's config.
        """
        if not isinstance(config, self.config):
            raise TypeError(f"{type(config).__name__} is not {self.config.__name__}")

        def train(
            dataset: Sequence[Preference], policy_path: Path, out_dir: Path, watch: Watch
        ) -> TrainedPolicy:
            return self.train(dataset, policy_path, config, out_dir, watch, **options)

        return train


ALGORITHMS: Mapping[str, Algorithm[Any]] = {
    "sft": Algorithm(train=sft.train, config=sft.SftConfig),
    "dpo": Algorithm(train=dpo.train, config=dpo.DpoConfig),
    "orpo": Algorithm(train=orpo.train, config=orpo.OrpoConfig),
    "simpo": Algorithm(train=simpo.train, config=simpo.SimpoConfig),
    "kto": Algorithm(train=kto.train, config=kto.KtoConfig),
    "reward": Algorithm(train=reward.train, config=reward.RewardConfig, makes="reward_model"),
    "rloo": Algorithm(train=rloo.train, config=rloo.RlooConfig),
    "grpo": Algorithm(train=grpo.train, config=grpo.GrpoConfig),
}
"""Each name is that of its section of pipeline.yaml."""


def algorithm(name: str) -> Algorithm[Any]:
    """The algorithm of that name; raises ``ConfigError`` where there is none."""
    if name == "ppo":
        raise ConfigError(_NO_PPO)
    if name not in ALGORITHMS:
        raise ConfigError(f"there is no algorithm {name!r}; choose one of {', '.join(ALGORITHMS)}")
    return ALGORITHMS[name]
