"""What promote and train share: a run's gates after training, asked for real, and the alias."""

from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from cli.project import Project, load_project
from consumers.calibration.job import anchor_comparisons
from consumers.calibration.splits import Split, split_of
from infra.settings import Settings
from infra.topic_log import TopicLog
from schemas.errors import ConfigError
from schemas.events import Completion, Run
from schemas.ids import unit_interval
from schemas.records import RunStatus
from trainer.log_slice import read_latest, read_runs
from trainer.promotion.candidate import Candidate, candidate, run_of_checkpoint
from trainer.promotion.clear import Prompts, gate_after_training
from trainer.promotion.compare import Arena, Step
from trainer.promotion.model_registry import ModelRegistry, models_dir
from trainer.promotion.promote import promote, reference
from trainer.promotion.tell import tell
from trainer.prompts import EvaluationPrompt, Prompt, read_prompts

# Of production completions, to find the wanted number of prompts in a share of them.
_COMPLETIONS_PER_PROMPT = 10
_MAX_LIVE = 50_000


@dataclass(frozen=True, kw_only=True)
class Promotion:
    """What promoting needs to know; ``prompts`` wins over the project's held-out prompts."""

    project_dir: Path
    prompts: Path | None = None
    epoch: int | None = None
    step: Step = lambda _: None


def registry_of(settings: Settings) -> ModelRegistry:
    """The configured registry."""
    return ModelRegistry(models_dir(settings), lambda: datetime.now(UTC))


def find_run(settings: Settings, target: str) -> Candidate:
    """The run that a person means by its id, the beginning of it, or the folder it trained.

    Raises ``ConfigError`` where there is none, or it may never be promoted.
    """
    from streams.inference.identity import folder_fingerprint

    runs, folder = read_runs(settings), Path(target)
    if folder.is_dir():
        target = run_of_checkpoint(runs, folder_fingerprint(folder))
    return candidate(runs, target)


def promote_run(settings: Settings, found: Candidate, how: Promotion) -> Run:
    """Run the gates after training unless they passed against what serves now, then move the alias.

    Every step is told. Returns PROMOTED, or WITHHELD with the gates that said no. Raises
    ``ConfigError`` for a run of another workload than the project's, or than the one that serves.
    """
    registry = registry_of(settings)
    registry.require(found.trained.workload_id)
    against = reference(registry, found.trained)
    serves = registry.current()
    gated = found.gated
    done = serves is not None and registry.standing()[-1].run_id == found.trained.run_id
    fresh = gated is not None and gated.status is RunStatus.CLEARED and gated.policy == str(against)
    if not done and not fresh:
        gated = _gate(settings, found.trained, against, how)
        tell(settings, gated)
        if gated.status is not RunStatus.CLEARED:
            return gated
    promoted = promote(replace(found, gated=gated), registry, epoch=how.epoch)
    tell(settings, promoted)
    return promoted


def _gate(settings: Settings, trained: Run, against: Path, how: Promotion) -> Run:
    project = load_project(how.project_dir)
    if trained.workload_id != project.workload:
        raise ConfigError(
            f"run {trained.run_id} is of workload {trained.workload_id}, and the project's is "
            f"{project.workload}; promote it with that one's --project"
        )
    rules = project.promotion
    arena = Arena(
        project_dir=how.project_dir,
        pipeline=project,
        infra=settings,
        now=datetime.now(UTC),
        step=how.step,
    )
    prompts = Prompts(
        held_out=held_out_prompts(project, how),
        anchors=_anchor_prompts(settings, project) if arena.has_judge else (),
        live=_live(settings, project),
    )
    return gate_after_training(trained, against, prompts, rules, arena, epoch=how.epoch)


def held_out_file(project: Project, how: Promotion) -> Path | None:
    """Where the prompts that decide are, if any are named."""
    given = project.promotion.prompts
    return how.prompts or (how.project_dir / given if given else None)


def held_out_prompts(project: Project, how: Promotion) -> tuple[EvaluationPrompt, ...]:
    """The prompts that decide; raises ``ConfigError`` where none are named."""
    path = held_out_file(project, how)
    if path is None:
        raise ConfigError(
            "no held-out prompts to compare policies on: name a JSONL file with --prompts, or as "
            "promotion.prompts in pipeline.yaml"
        )
    return read_prompts(path, EvaluationPrompt, project.workload)


def _live(settings: Settings, project: Project) -> list[Completion]:
    """The workload's latest traffic: people ask again, and some of it was trained on."""
    shadow = project.promotion.shadow
    if not shadow.share:
        return []
    wanted = round(_COMPLETIONS_PER_PROMPT * shadow.max_prompts / shadow.share)
    latest = read_latest(settings, Completion, min(wanted, _MAX_LIVE))
    return [one for one in latest if one.workload_id == project.workload]


def _anchor_prompts(settings: Settings, project: Project) -> list[Prompt]:
    """Prompts of calibration anchors, a stable sample: the holdout's are never shown to a judge."""
    if not project.promotion.anchor_prompts:
        return []
    shares = project.calibration.shares
    found = {
        one.prompt_id: Prompt.of(one)
        for one in anchor_comparisons(TopicLog(settings, project.workload))
        if split_of(one.prompt_id, shares) is Split.CALIBRATION
    }
    order = sorted(found, key=lambda prompt_id: unit_interval("anchor prompts", prompt_id))
    return [found[prompt_id] for prompt_id in order[: project.promotion.anchor_prompts]]
