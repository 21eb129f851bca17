"""What the online algorithms share: prompts, rewards, and answers sampled while training."""

import logging
import math
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self, TypeVar

from pydantic import Field, model_validator

from schemas.errors import ConfigError
from schemas.events import Preference
from schemas.records import Record
from trainer.known_rewards import expecting
from trainer.policy import TrainedPolicy, Watch
from trainer.reward_scores import RewardModel
from trainer.row_lengths import Reading
from trainer.training_config import TrainingConfig
from trainer.trl_trainer import messages
from trainer.trl_training import Job, Method, train_with
from trainer.weighted_rewards import LengthPenalty, Reward, WeightedRewards

if TYPE_CHECKING:
    from transformers import Trainer

PromptColumns = Mapping[str, Mapping[str, object]]
"""By prompt id what a reward function has to know of the prompt; the same columns for each."""


class CriterionReward(Record):
    """A reward model of one criterion."""

    folder: Path
    weight: float = Field(default=1.0, gt=0)


class OnlineConfig(TrainingConfig):
    """Batches are counted in answers: ``batch_size / answers`` prompts a step.

    A dataset's distinct prompts are trained on; its answers are not read.
    """

    learning_rate: float = Field(default=1e-5, gt=0)
    epochs: float = Field(default=1, gt=0)
    batch_size: int = Field(default=32, ge=2)
    answers: int = Field(default=8, ge=2)
    """Sampled to each prompt; an answer counts by how it compares with the others."""
    answer_tokens: int = Field(default=256, ge=1)
    """At most; a prompt that leaves less room than this is dropped."""
    temperature: float = Field(default=1.0, gt=0)
    beta: float = Field(default=0.04, gt=0)
    """Weight of the KL divergence to the policy it started from, which is logged as ``kl``."""
    reward_model: Path | None = None
    """Folder of a reward model."""
    reward_weight: float = Field(default=1.0, gt=0)
    """Of the reward model."""
    criteria: dict[str, CriterionReward] = Field(default_factory=dict)
    """More reward models, by the name that each is logged as."""
    check_weight: float = Field(default=0.0, ge=0)
    """Of the project's verifiers as a reward in [0, 1]; 0 = they reward nothing."""
    length_penalty: float = Field(default=0.0, ge=0)
    """Weight of a penalty from 0 at ``free_tokens`` to 1 at ``answer_tokens``."""
    free_tokens: int = Field(default=0, ge=0)

    @model_validator(mode="after")
    def _whole_groups(self) -> Self:
        if self.batch_size % self.answers:
            raise ValueError(
                f"batch_size {self.batch_size} is no multiple of answers {self.answers}; "
                "a batch holds all answers to each of its prompts"
            )
        if self.free_tokens >= self.answer_tokens:
            raise ValueError(
                f"free_tokens {self.free_tokens} leaves no length to penalise; "
                f"set less than answer_tokens ({self.answer_tokens})"
            )
        return self

    def beside(self, folder: Path) -> Self:
        """The same with relative folders of reward models counted from ``folder``."""
        criteria = {
            name: one.model_copy(update={"folder": (folder / one.folder).resolve()})
            for name, one in self.criteria.items()
        }
        model = (folder / self.reward_model).resolve() if self.reward_model else None
        return self.model_copy(update={"criteria": criteria, "reward_model": model})

    @property
    def models(self) -> dict[str, Path]:
        """The folders of reward models, by the names that they are logged as."""
        model = {} if self.reward_model is None else {"model": self.reward_model}
        return model | {name: one.folder for name, one in self.criteria.items()}

    @property
    def reading(self) -> Reading:
        """Prompts only, each with room for an answer."""
        return Reading(answers=(), room=self.answer_tokens)


C = TypeVar("C", bound=OnlineConfig)


def online(
    name: str,
    build: "Callable[[Job[C], Sequence[dict[str, object]], WeightedRewards], Trainer]",
) -> Callable[..., TrainedPolicy]:
    """The ``train`` of an algorithm whose trainer is built from prompts and what rewards answers.

    Its ``rewards`` come beside those of the configuration, and ``columns`` are what they have to
    know of each prompt. It raises as ``train_with``, and ``ConfigError`` where nothing rewards and
    where no reward is known.
    """

    def train(
        dataset: Sequence[Preference],
        policy_path: Path,
        config: C,
        out_dir: Path,
        watch: Watch,
        *,
        rewards: Sequence[Reward] = (),
        columns: PromptColumns | None = None,
    ) -> TrainedPolicy:
        def built(job: Job[C]) -> "Trainer":
            rewarded = reward_function(job.config, rewards)
            trainer = build(job, prompt_rows(job, columns), rewarded)
            trainer.add_callback(expecting(rewarded))
            return trainer

        method = Method(name=name, build=built, reading=config.reading, models=config.models)
        return train_with(method, dataset, policy_path, config, out_dir, watch)

    return train


def prompt_rows(job: Job[Any], columns: PromptColumns | None) -> list[dict[str, object]]:
    """Every distinct prompt once, and the first ones again until the last batch is full.

    TRL leaves out what does not fill a batch. Raises ``ConfigError`` where a prompt has no columns.
    """
    prompts: dict[str, Preference] = {}
    for row in job.fitted.rows:
        prompts.setdefault(row.prompt_id, row)
    missing = [] if columns is None else [one for one in prompts if one not in columns]
    if missing:
        raise ConfigError(
            f"{len(missing)} prompts have no columns for the reward functions, the first is "
            f"{missing[0]}; give those of every prompt of the dataset"
        )
    rows = [
        {
            "prompt": messages(row.prompt),
            "prompt_id": prompt_id,
            **(columns or {}).get(prompt_id, {}),
        }
        for prompt_id, row in prompts.items()
    ]
    to_fill = -len(rows) % (job.config.batch_size // job.config.answers)
    return rows + [rows[index % len(rows)] for index in range(to_fill)]


def reward_function(config: OnlineConfig, rewards: Sequence[Reward]) -> WeightedRewards:
    """The configured rewards and those given; raises ``ConfigError`` where there are none."""
    found = list(rewards)
    if config.reward_model is not None:
        model = RewardModel(config.reward_model)
        found.append(Reward(name="model", function=model, weight=config.reward_weight))
    found += [
        Reward(name=name, function=RewardModel(one.folder), weight=one.weight)
        for name, one in config.criteria.items()
    ]
    for module in ("grpo_trainer", "rloo_trainer"):
        logging.getLogger(f"trl.trainer.{module}").addFilter(_without_texts)
    if not found:
        raise ConfigError(
            "nothing rewards an answer; set check_weight for the verifiers, or name the folder of "
            "a reward_model"
        )
    if config.length_penalty:
        penalty = LengthPenalty(free_tokens=config.free_tokens, max_tokens=config.answer_tokens)
        found.append(Reward(name="length", function=penalty, weight=config.length_penalty))
    return WeightedRewards(found)


def online_arguments(job: Job[Any], n_prompts: int, updates: int) -> dict[str, Any]:
    """The TRL arguments that both trainers share; ``updates`` are steps on the same answers."""
    config: OnlineConfig = job.config
    shared = job.arguments(n_prompts * config.answers * updates)
    return {
        **shared,
        # Where new answers are sampled: those in hand are not saved.
        "save_steps": math.ceil(shared["save_steps"] / updates) * updates,
        "num_generations": config.answers,
        "max_completion_length": config.answer_tokens,
        "temperature": config.temperature,
        "beta": config.beta,
        "num_iterations": updates,
        # Sampling from probabilities that are no numbers would end the process on a GPU; so the
        # loss gets to be no number, and that ends the training with a sentence.
        "generation_kwargs": {"remove_invalid_values": True},
    }


def _without_texts(record: logging.LogRecord) -> bool:
    """TRL writes prompts and answers of unknown reward into the log; ``unknown/…`` counts them."""
    return "All reward functions returned None" not in record.getMessage()
