"""How the demo trains policies: on thumbs, on what the pipeline made, or as a recipe says."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Literal

from consumers.calibration.calibrate import CalibrationSettings
from examples.harbor.demo.backend import Backend
from examples.harbor.demo.benchmark import on_the_database
from examples.harbor.demo.incoming import MAX_TOKENS, TEMPERATURE
from examples.harbor.demo.workspace import Workspace
from schemas.events import Calibration
from schemas.records import PreferenceSource
from streams.inference.chat import ChatModel
from streams.inference.open_model import open_model
from streams.pipeline import Pipeline
from trainer.algorithms import algorithm
from trainer.blend import BlendSettings
from trainer.dataset import FrozenDataset
from trainer.evaluate import Evaluation, EvaluationSettings
from trainer.freeze import GATED_SOURCES, FreezeSettings, frozen
from trainer.gate_settings import GateSettings
from trainer.kappa_rule import Looks
from trainer.policy import Watch
from trainer.policy_evaluation import evaluate_model
from trainer.prompts import EvaluationPrompt, prompt_ids
from trainer.run import RunOutcome, Surroundings, TrainingPlan, run_training
from trainer.staged_log import staged
from trainer.training_config import TrainingConfig

Name = Literal["thumbs", "rlaif"]
SOURCES: dict[Name, tuple[PreferenceSource, ...]] = {
    "thumbs": (PreferenceSource.THUMBS,),
    "rlaif": GATED_SOURCES,
}


@dataclass(frozen=True, kw_only=True)
class Rules:
    """What pipeline.yaml says about everything that follows the stages."""

    pipeline: Pipeline
    calibration: CalibrationSettings
    gate: GateSettings
    blend: BlendSettings
    algorithms: Mapping[str, TrainingConfig]


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """How one policy is made; ``options`` are the algorithm's own (rewards of an online one)."""

    name: str
    algorithm: str
    config: TrainingConfig
    start: Path
    ungated: bool = False
    evaluated: bool = True
    options: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Trained:
    """A policy's dataset and how its run ended."""

    dataset: FrozenDataset
    outcome: RunOutcome


class Trainings:
    """Trains policies from the same start and asks them the same prompts."""

    def __init__(
        self,
        backend: Backend,
        workspace: Workspace,
        rules: Rules,
        prompts: Sequence[EvaluationPrompt],
        watch: Watch,
        looks: Looks,
        seed: int = 0,
    ) -> None:
        """``seed`` draws the answers that policies are evaluated by."""
        self._backend = backend
        self._workspace = workspace
        self._rules = rules
        self._prompts = prompts
        self._watch = watch
        self._looks = looks
        self._asking = EvaluationSettings(temperature=TEMPERATURE, max_tokens=MAX_TOKENS, seed=seed)
        # the start is asked once, though both runs report it
        self.evaluate = cache(self._evaluate)

    @property
    def start(self) -> Path:
        """The supervised policy that production runs on."""
        return self._workspace.checkpoints / "policy"

    def train(
        self, name: Name, calibrations: Sequence[Calibration], measured_prompts: frozenset[str]
    ) -> Trained:
        """Freeze the sources of ``name``, gate, blend, train and evaluate.

        The baseline on thumbs is trained ungated, which its run records. ``measured_prompts`` may
        not be trained on.
        """
        wanted = FreezeSettings(
            sources=SOURCES[name],
            excluded_prompt_ids=measured_prompts | prompt_ids(self._prompts),
        )
        with staged(self._backend.preferences()) as log:
            dataset = frozen(log, wanted)
        recipe = Recipe(
            name=name,
            algorithm="dpo",
            config=self._rules.algorithms["dpo"],
            start=self.start,
            ungated=name == "thumbs",
        )
        return Trained(dataset=dataset, outcome=self.run(recipe, dataset, calibrations))

    def run(
        self, recipe: Recipe, dataset: FrozenDataset, calibrations: Sequence[Calibration]
    ) -> RunOutcome:
        """Gate, blend, train and evaluate as the recipe says; the run is published."""
        out = self._workspace.policies / recipe.name
        plan = TrainingPlan(
            workload_id=self._rules.pipeline.workload,
            policy_path=recipe.start,
            out_dir=out,
            algorithm=recipe.algorithm,
            hyper_parameters={key: str(value) for key, value in recipe.config.model_dump().items()},
            gate=self._rules.gate,
            blend=self._rules.blend,
            ungated=recipe.ungated,
        )
        around = Surroundings(
            train=algorithm(recipe.algorithm).with_config(recipe.config, **recipe.options),
            evaluate=self.evaluate if recipe.evaluated else None,
            publish=lambda run: self._backend.publish([run]),
            clock=lambda: datetime.now(UTC),
            watch=self._watch,
            looks=self._looks,
        )
        folder = out.with_name(f"{recipe.name}.dataset")
        return run_training(dataset, folder, calibrations, plan, around)

    def evaluate_model(self, open_: Callable[[], ChatModel]) -> Evaluation:
        """Ask any model what ``evaluate`` asks a checkpoint."""
        return evaluate_model(
            open_,
            self._prompts,
            on_the_database(self._rules.pipeline.verify),
            self._workspace.project,
            self._asking,
        )

    def _evaluate(self, checkpoint: Path) -> Evaluation:
        settings = self._backend.settings
        return self.evaluate_model(lambda: open_model(f"path:{checkpoint}", settings))
