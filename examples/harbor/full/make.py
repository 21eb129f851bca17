"""Makes one cell: trains the policy of one seed as its name says, and asks it the benchmark."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

from examples.harbor.demo.benchmark import golden_queries, on_the_database
from examples.harbor.demo.training import Recipe, Rules, Trainings
from examples.harbor.demo.workspace import Workspace
from examples.harbor.full.cells import Cell
from examples.harbor.full.policies import ALGORITHM_OF, FIRST_SEED, LATER_RATE, Name
from infra.settings import Settings
from schemas.events import Calibration
from schemas.records import Expectation, ExpectationKind
from streams.inference.chat import ChatModel
from streams.inference.open_model import open_model
from trainer.best_of_n import BestOfN, BestOfNSettings
from trainer.dataset import FrozenDataset
from trainer.reward_scores import RewardModel
from trainer.rewards import AsyncCheckRewards
from trainer.run import RunOutcome
from trainer.training_config import TrainingConfig
from trainer.weighted_rewards import Reward


@dataclass(frozen=True, kw_only=True)
class Ingredients:
    """The frozen pairs of each policy that reads some, and the calibrations that their gates read.

    Policies that are not named read those of round 1.
    """

    pairs: Mapping[Name, FrozenDataset]
    calibrations: Mapping[Name, Sequence[Calibration]]

    def of(self, name: Name) -> tuple[FrozenDataset, Sequence[Calibration]]:
        """What a policy is trained on."""
        return (
            self.pairs.get(name, self.pairs[Name.RLAIF_1]),
            self.calibrations.get(name, self.calibrations[Name.RLAIF_1]),
        )


def config_of(rules: Rules, name: Name) -> TrainingConfig:
    """The algorithm's section of pipeline.yaml, with smaller steps in round 2."""
    config = rules.algorithms[ALGORITHM_OF[name]]
    if name is not Name.RLAIF_2:
        return config
    return config.model_copy(update={"learning_rate": LATER_RATE * config.learning_rate})


class Kitchen:
    """Makes the cells of one seed."""

    def __init__(
        self,
        workspace: Workspace,
        rules: Rules,
        settings: Settings,
        trainings: Trainings,
        seed: int,
    ) -> None:
        self._workspace, self._rules, self._settings = workspace, rules, settings
        self._trainings, self._seed = trainings, seed

    def make(self, name: Name, given: Ingredients, made_of: str) -> Cell:
        """Train and evaluate; what an interrupted run left behind is made anew."""
        match name:
            case Name.SFT:
                evaluation = self._trainings.evaluate(self._trainings.start)
                return Cell(name=name, seed=self._seed, evaluation=evaluation, made_of=made_of)
            case Name.BEST_OF_4 if not self.policy(Name.REWARD, self._seed).exists():
                refusal = "there is no reward model of its seed"
                return Cell(
                    name=name, seed=self._seed, evaluation=None, refusal=refusal, made_of=made_of
                )
            case Name.BEST_OF_4:
                evaluation = self._trainings.evaluate_model(self._best_of_4)
                return Cell(name=name, seed=self._seed, evaluation=evaluation, made_of=made_of)
            case Name.RLOO:
                outcome = self._run(
                    name, given, {"reward_model": self.policy(Name.REWARD, self._seed)}
                )
            case Name.GRPO:
                outcome = self._grpo(given)
            case _:
                outcome = self._run(name, given)
        trained = outcome.trained
        return Cell(
            name=name,
            seed=self._seed,
            rows=outcome.rows,
            evaluation=outcome.after,
            train_seconds=trained.seconds if trained else 0.0,
            gates=outcome.run.gates,
            refusal="" if trained else outcome.run.detail,
            made_of=made_of,
        )

    def policy(self, name: Name, seed: int) -> Path:
        """The folder of a trained policy."""
        return self._workspace.policies / f"{name}-{seed}"

    def _run(
        self,
        name: Name,
        given: Ingredients,
        changes: Mapping[str, object] = MappingProxyType({}),
        **options: object,
    ) -> RunOutcome:
        start = self._trainings.start
        if name is Name.RLAIF_2:
            start = self.policy(Name.RLAIF_1, FIRST_SEED)
        config = config_of(self._rules, name)
        recipe = Recipe(
            name=f"{name}-{self._seed}",
            algorithm=ALGORITHM_OF[name],
            config=config.model_copy(update={"seed": self._seed, **changes}),
            start=start,
            ungated=name is Name.THUMBS,
            evaluated=name is not Name.REWARD,
            options=options,
        )
        self._workspace.forget(recipe.name)
        return self._trainings.run(recipe, *given.of(name))

    def _grpo(self, given: Ingredients) -> RunOutcome:
        checks = AsyncCheckRewards(
            on_the_database(self._rules.pipeline.verify), self._workspace.project
        )
        expected = {
            prompt_id: {
                "expectations": [
                    Expectation(kind=ExpectationKind.GOLDEN_SQL, spec=sql).model_dump(mode="json")
                ]
            }
            for prompt_id, sql in golden_queries(("train", "core")).items()
        }
        try:
            rewards = [Reward(name="checks", function=checks)]
            return self._run(Name.GRPO, given, rewards=rewards, columns=expected)
        finally:
            checks.close()

    def _best_of_4(self) -> ChatModel:
        policy = open_model(f"path:{self._trainings.start}", self._settings)
        scorer = RewardModel(self.policy(Name.REWARD, self._seed))
        return BestOfN(policy, scorer, BestOfNSettings(n=4))
