"""From the options of `prefstream train` to a run: reads, freezes and puts the parts together."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from cli.judge_watch import watched
from cli.label_noise import wants_audit, with_audited_noise
from cli.project import Project, load_project
from cli.promotion import Promotion, find_run, held_out_prompts, promote_run
from consumers.anchors.held_out import held_out
from consumers.calibration.holdout_ledger import HoldoutLedger, ledger_path
from infra.settings import Settings
from schemas.errors import ConfigError
from schemas.events import Run
from schemas.records import PreferenceSource
from trainer.algorithms import algorithm
from trainer.dataset import FrozenDataset, load
from trainer.evaluate import EvaluationSettings
from trainer.freeze import GATED_SOURCES, FreezeSettings, freeze
from trainer.log_slice import read_calibrations, read_preferences
from trainer.online import OnlineConfig
from trainer.policy import Watch
from trainer.policy_evaluation import evaluate_policy
from trainer.promotion.compare import Step
from trainer.promotion.tell import tell
from trainer.prompts import EvaluationPrompt, prompt_ids, read_prompts
from trainer.run import Evaluate, RunOutcome, Surroundings, TrainingPlan, run_training
from trainer.training_config import TrainingConfig


@dataclass(frozen=True, kw_only=True)
class TrainingRequest:
    """What the command was asked for. ``manifest`` None = freeze the topic as it is now."""

    project: Path
    policy: Path
    out: Path
    algorithm: str
    manifest: Path | None
    prompts: Path | None
    exclude: tuple[Path, ...]
    sources: tuple[PreferenceSource, ...]
    judge_config: str | None
    ungated: bool
    seed: int | None
    attack_success: float | None = None
    promote: bool = False
    epoch: int | None = None

    @property
    def dataset_dir(self) -> Path:
        """Where the rows go: beside the policy that is trained on them."""
        return self.out.with_name(f"{self.out.name}.dataset")


def run_request(request: TrainingRequest, watch: Watch) -> RunOutcome:
    """Run it; raises ``ConfigError`` for bad options and ``DependencyDown`` without Kafka."""
    chosen = algorithm(request.algorithm)
    infra, project = Settings(), load_project(request.project)
    config: TrainingConfig = getattr(project, request.algorithm)
    if isinstance(config, OnlineConfig) and config.reward_model:
        # A relative folder counts from the project directory, wherever the command runs.
        folder = (request.project / config.reward_model).resolve()
        config = config.model_copy(update={"reward_model": folder})
    if request.seed is not None:
        config = config.model_copy(update={"seed": request.seed})
    if request.promote:
        if chosen.makes != "policy":
            raise ConfigError(f"{request.algorithm} makes no policy that could be promoted")
        # read now: hours later would be late to learn that there are none
        held_out_prompts(project, _promotion(request))
    prompts = read_prompts(request.prompts) if request.prompts else ()
    dataset = _dataset(request, project, infra, prompts)
    # A reward model answers nothing; the prompts are kept out of its training all the same. What
    # is to be promoted is asked by the gates after training, beside what serves.
    asked = prompts if chosen.makes == "policy" and not request.promote else ()
    ledger = HoldoutLedger(ledger_path(infra))
    calibrations = [*read_calibrations(infra), *ledger.readings()]
    hyper_parameters = {name: str(value) for name, value in config.model_dump().items()}
    if wants_audit(config):
        judge = dataset.manifest.judge_config_hash
        noisy = with_audited_noise(chosen, config, judge, calibrations, infra, project)
        train, hyper_parameters["label_flip_rate"] = noisy.train, noisy.said
    else:
        train = chosen.with_config(config)
    return run_training(
        dataset,
        request.dataset_dir,
        calibrations,
        TrainingPlan(
            workload_id=project.workload,
            policy_path=request.policy,
            out_dir=request.out,
            algorithm=request.algorithm,
            hyper_parameters=hyper_parameters,
            gate=project.gate,
            blend=project.blend,
            ungated=request.ungated,
            attack_success=request.attack_success,
            epoch=request.epoch,
            watched=watched(infra, project, calibrations),
        ),
        Surroundings(
            train=train,
            evaluate=_evaluate(request, project, infra, asked),
            publish=lambda run: tell(infra, run),
            clock=lambda: datetime.now(UTC),
            watch=watch,
            looks=ledger.look,
        ),
    )


def promote_request(request: TrainingRequest, outcome: RunOutcome, step: Step) -> Run:
    """The gates after training for what was trained, and the alias if they pass; see
    ``promote_run``."""
    infra, how = Settings(), replace(_promotion(request), step=step)
    return promote_run(infra, find_run(infra, outcome.run.run_id), how)


def _promotion(request: TrainingRequest) -> Promotion:
    return Promotion(project_dir=request.project, prompts=request.prompts, epoch=request.epoch)


def _dataset(
    request: TrainingRequest,
    project: Project,
    infra: Settings,
    prompts: Sequence[EvaluationPrompt],
) -> FrozenDataset:
    if request.manifest is not None:
        frozen = load(request.manifest)
        seen = prompt_ids(prompts) & {row.prompt_id for row in frozen.rows}
        if seen:
            raise ConfigError(
                f"{request.manifest}: {len(seen)} prompts of {request.prompts} are in the dataset; "
                "freeze it again with --exclude"
            )
        return frozen
    excluded = prompt_ids(prompts)
    locked = project.promotion.prompts
    for path in (*request.exclude, *([request.project / locked] if locked else [])):
        excluded |= prompt_ids(read_prompts(path))
    log = read_preferences(infra)
    excluded |= held_out(infra, project.calibration.shares, log.preferences).prompt_ids
    settings = FreezeSettings(
        sources=request.sources or GATED_SOURCES,
        judge_config_hash=request.judge_config,
        excluded_prompt_ids=excluded,
    )
    return freeze(log, settings)


def _evaluate(
    request: TrainingRequest,
    project: Project,
    infra: Settings,
    prompts: Sequence[EvaluationPrompt],
) -> Evaluate | None:
    if not prompts:
        return None
    return lambda checkpoint: evaluate_policy(
        checkpoint, prompts, project.verify, request.project, EvaluationSettings(), infra
    )
