"""From the options of `prefstream train` to a run: reads, freezes and puts the parts together."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from cli.judge_watch import watched
from cli.label_noise import require_number, wants_audit, with_audited_noise
from cli.project import Project, load_project
from cli.promotion import (
    Promotion,
    find_run,
    held_out_file,
    held_out_prompts,
    promote_run,
    registry_of,
)
from cli.rewarded import rewarded, section
from cli.scratch import scratch
from cli.training_request import TrainingRequest
from cli.training_rows import training_rows
from consumers.calibration.holdout_ledger import HoldoutLedger, ledger_path
from infra.settings import Settings
from infra.topic_log import TopicLog
from schemas.errors import ConfigError
from schemas.events import Calibration, Preference, Run
from schemas.records import GateResult
from trainer import processes
from trainer.algorithms import Algorithm, algorithm
from trainer.checkpoint import check_empty, check_start
from trainer.freeze import require_rows
from trainer.policy import Train, Watch
from trainer.policy_evaluation import evaluate_policy
from trainer.promotion.canary import canary
from trainer.promotion.compare import Arena, Step
from trainer.promotion.post_train_gate import gone_without
from trainer.promotion.tell import tell
from trainer.prompt_columns import logged_samples
from trainer.prompts import EvaluationPrompt, Prompt, read_prompts
from trainer.run import Canary, Evaluate, RunOutcome, Surroundings, TrainingPlan, run_training
from trainer.training_config import TrainingConfig


def run_request(request: TrainingRequest, watch: Watch, step: Step) -> RunOutcome | None:
    """Run it, by however many processes were started; the outcome is the first one's to tell.

    Raises ``ConfigError`` for bad options and ``DependencyDown`` without Kafka.
    """
    chosen = algorithm(request.algorithm)
    infra, project = Settings(), load_project(request.project)
    config = section(project, request.algorithm, request.project)
    if request.seed is not None:
        config = config.model_copy(update={"seed": request.seed})
    if processes.count() > 1:
        require_number(config, "a training on several processes")
    train = rewarded(chosen, config, project, request.project, lambda: logged_samples(infra))
    if not processes.is_first():
        processes.follow(train)
        return None
    with processes.leading(train) as together:
        return _run(request, project, infra, chosen, config, together, watch, step)


def _run(
    request: TrainingRequest,
    project: Project,
    infra: Settings,
    chosen: Algorithm[Any],
    config: TrainingConfig,
    train: Train,
    watch: Watch,
    step: Step,
) -> RunOutcome:
    prompts: Sequence[EvaluationPrompt] = ()
    if request.prompts:
        prompts = read_prompts(request.prompts, EvaluationPrompt, project.workload)
    if request.promote:
        if chosen.makes != "policy":
            raise ConfigError(f"{request.algorithm} makes no policy that could be promoted")
        registry_of(infra).require(project.workload)
    # read now: hours later would be late to learn that there are none, or that the dataset has some
    deciding = _deciding(request, project)
    measuring: list[Prompt] = [*prompts, *deciding]
    # and so it would of these, with a dataset left behind
    check_empty(request.out)
    check_start(request.policy)
    dataset = training_rows(request, project, infra, measuring)
    require_rows(dataset.manifest)
    # A reward model answers nothing; the prompts are kept out of its training all the same. What
    # is to be promoted is asked by the gates after training, beside what serves.
    asked = prompts if chosen.makes == "policy" and not request.promote else ()
    log = TopicLog(infra, project.workload)
    ledger = HoldoutLedger(ledger_path(infra), workload_id=project.workload)
    calibrations = [*log.events(Calibration), *ledger.readings()]
    hyper_parameters = {name: str(value) for name, value in config.model_dump().items()}
    if wants_audit(config):
        judge = dataset.manifest.judge_config_hash
        noisy = with_audited_noise(chosen, config, judge, calibrations, log, project)
        train, hyper_parameters["label_flip_rate"] = noisy.train, noisy.said
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
            watched=watched(log, project, calibrations),
        ),
        Surroundings(
            train=train,
            evaluate=_evaluate(request, project, infra, asked),
            publish=lambda run: tell(infra, run),
            clock=lambda: datetime.now(UTC),
            watch=watch,
            looks=ledger.look,
            canary=_canary(request, project, infra, train, deciding, step),
        ),
    )


def promote_request(request: TrainingRequest, outcome: RunOutcome, step: Step) -> Run:
    """The gates after training for what was trained, and the alias if they pass; see
    ``promote_run``."""
    infra, how = Settings(), replace(_promotion(request), step=step)
    return promote_run(infra, find_run(infra, outcome.run.run_id), how)


def _promotion(request: TrainingRequest) -> Promotion:
    return Promotion(project_dir=request.project, prompts=request.prompts, epoch=request.epoch)


def _deciding(request: TrainingRequest, project: Project) -> tuple[EvaluationPrompt, ...]:
    """The held-out prompts that canary and promotion decide by; raises ``ConfigError`` where a
    promotion has none."""
    how = _promotion(request)
    if request.ungated or not (request.promote or held_out_file(project, how)):
        return ()
    return held_out_prompts(project, how)


def _canary(
    request: TrainingRequest,
    project: Project,
    infra: Settings,
    train: Train,
    prompts: Sequence[Prompt],
    step: Step,
) -> Canary | None:
    """None where what is trained answers nobody; a gate says so where there is no other reason."""
    if algorithm(request.algorithm).makes != "policy":
        return None
    if not project.canary.share:
        return lambda _: (gone_without("canary", "canary.share is 0"),)
    if not prompts:
        why = "no held-out prompts; name them by --prompts, or as promotion.prompts"
        return lambda _: (gone_without("canary", why),)
    arena = Arena(
        project_dir=request.project,
        pipeline=project,
        infra=infra,
        now=datetime.now(UTC),
        step=step,
    )

    def tried(rows: Sequence[Preference]) -> tuple[GateResult, ...]:
        asking, settings = project.promotion.asking, project.canary
        with scratch(request.out, "canary") as folder:
            return canary(rows, request.policy, train, prompts, asking, settings, folder, arena)

    return tried


def _evaluate(
    request: TrainingRequest,
    project: Project,
    infra: Settings,
    prompts: Sequence[EvaluationPrompt],
) -> Evaluate | None:
    if not prompts:
        return None
    return lambda checkpoint: evaluate_policy(
        checkpoint, prompts, project.verify, request.project, project.promotion.asking, infra
    )
