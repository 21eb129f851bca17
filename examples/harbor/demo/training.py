"""The two policies of the demo: one on thumbs, one on what the pipeline made."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Literal

from consumers.calibration.calibrate import CalibrationSettings
from examples.harbor.demo.backend import Backend
from examples.harbor.demo.benchmark import on_the_database
from examples.harbor.demo.incoming import MAX_TOKENS, TEMPERATURE
from examples.harbor.demo.workspace import Workspace
from schemas.events import Calibration, Preference
from schemas.records import PreferenceSource
from streams.pipeline import Pipeline
from trainer import dpo
from trainer.blend import BlendSettings
from trainer.dataset import FrozenDataset
from trainer.dpo import DpoConfig
from trainer.evaluate import Evaluation, EvaluationSettings
from trainer.freeze import GATED_SOURCES, FreezeSettings, freeze
from trainer.gate_settings import GateSettings
from trainer.kappa_rule import Looks
from trainer.policy import TrainedPolicy, Watch
from trainer.policy_evaluation import evaluate_policy
from trainer.prompts import EvaluationPrompt, prompt_ids
from trainer.run import RunOutcome, Surroundings, TrainingPlan, run_training

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
    dpo: DpoConfig


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
    ) -> None:
        self._backend = backend
        self._workspace = workspace
        self._rules = rules
        self._prompts = prompts
        self._watch = watch
        self._looks = looks
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
        dataset = freeze(
            self._backend.log_slice(),
            FreezeSettings(
                sources=SOURCES[name],
                excluded_prompt_ids=measured_prompts | prompt_ids(self._prompts),
            ),
        )
        config = self._rules.dpo
        out = self._workspace.policies / name

        def train(
            dataset: Sequence[Preference], policy_path: Path, out_dir: Path, watch: Watch
        ) -> TrainedPolicy:
            return dpo.train(dataset, policy_path, config, out_dir, watch)

        plan = TrainingPlan(
            workload_id=self._rules.pipeline.workload,
            policy_path=self.start,
            out_dir=out,
            algorithm=dpo.ALGORITHM,
            hyper_parameters={key: str(value) for key, value in config.model_dump().items()},
            gate=self._rules.gate,
            blend=self._rules.blend,
            ungated=name == "thumbs",
        )
        around = Surroundings(
            train=train,
            evaluate=self.evaluate,
            publish=lambda run: self._backend.publish([run]),
            clock=lambda: datetime.now(UTC),
            watch=self._watch,
            looks=self._looks,
        )
        folder = out.with_name(f"{name}.dataset")
        return Trained(
            dataset=dataset,
            outcome=run_training(dataset, folder, calibrations, plan, around),
        )

    def _evaluate(self, checkpoint: Path) -> Evaluation:
        settings = EvaluationSettings(temperature=TEMPERATURE, max_tokens=MAX_TOKENS)
        return evaluate_policy(
            checkpoint,
            self._prompts,
            on_the_database(self._rules.pipeline.verify),
            self._workspace.project,
            settings,
            self._backend.settings,
        )
