"""``pipeline.yaml`` of a project directory: the settings of every stage, and the stages of them."""

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from pydantic import Field

from infra.nonce_key import nonce_key
from infra.settings import Settings
from infra.yaml_config import load_yaml
from schemas.errors import ConfigError
from schemas.records import Record
from streams.constitution import load_constitution
from streams.filter import FilterStage
from streams.filter_rules import FilterSettings
from streams.inference.chat import ChatModel
from streams.inference.identity import resolved
from streams.inference.live_budget import LiveBudget
from streams.inference.metered import open_metered
from streams.inference.settings import InferenceSettings
from streams.judge.judges import Judges
from streams.judge.lock import lock
from streams.judge.open_judges import open_judges
from streams.judge.open_stored import open_stored
from streams.judge.settings import JudgeSettings
from streams.judge.stage import JudgeStage
from streams.pair import PairSettings, PairStage
from streams.revise import Reviser
from streams.sample import SampleSettings, SampleStage
from streams.stage import Stage
from streams.topology import STAGE_INPUTS
from streams.verify.check_names import hard_check_names
from streams.verify.settings import VerifySettings
from streams.verify.stage import VerifyStage

FILE_NAME = "pipeline.yaml"


class Pipeline(Record):
    """What ``pipeline.yaml`` holds. Every section may be left out; then its defaults hold.

    Those without a type here are typed by ``cli.project``, as nothing here may know calibration or
    trainer.
    """

    workload: str = Field(default="default", min_length=1)
    inference: InferenceSettings = InferenceSettings()
    sample: SampleSettings = SampleSettings()
    verify: VerifySettings = VerifySettings()
    pair: PairSettings = PairSettings()
    judge: JudgeSettings = JudgeSettings()
    filter: FilterSettings = FilterSettings()
    # Read by what comes after the stages; named here so that a misspelt section is an error.
    calibration: Any = None
    gate: Any = None
    audit: Any = None
    blend: Any = None
    promotion: Any = None
    canary: Any = None
    trigger: Any = None
    sft: Any = None
    dpo: Any = None
    orpo: Any = None
    simpo: Any = None
    kto: Any = None
    reward: Any = None
    rloo: Any = None
    grpo: Any = None


def load_pipeline(project_dir: Path) -> Pipeline:
    """The project's pipeline; raises ``ConfigError`` with file, line and remedy."""
    return load_yaml(project_file(project_dir), Pipeline)


def project_file(project_dir: Path) -> Path:
    """The project's pipeline.yaml; raises ``ConfigError`` where there is none."""
    if not project_dir.is_dir():
        raise ConfigError(f"{project_dir}: no such project directory; name one by --project")
    file = project_dir / FILE_NAME
    if not file.is_file():
        raise ConfigError(
            f"{project_dir.resolve()} holds no {FILE_NAME}; name a project directory by --project"
        )
    return file


OpenStageModel = Callable[[str, str], ChatModel]
"""Opens, for a stage, the model of a reference whose folder is absolute."""


def build_stage(
    name: str, project_dir: Path, settings: Settings, opened: OpenStageModel | None = None
) -> Stage[Any]:
    """The named stage as the project configures it, its models opened by ``opened`` if given.

    Raises ``ConfigError`` for an unknown name or a bad project, ``Fatal`` where a model or
    database it needs is not there.
    """
    pipeline = load_pipeline(project_dir)
    opened = opened or partial(_opened, pipeline, project_dir, settings)
    match name:
        case "sample":
            return _sample(pipeline, project_dir, settings, opened)
        case "verify":
            return VerifyStage(pipeline.verify, project_dir)
        case "pair":
            return PairStage(pipeline.pair)
        case "judge":
            stage = _judge(pipeline, project_dir, settings, opened)
            if stage.judges is not None:
                _refuse_disagreement(pipeline.pair, stage.judges, project_dir)
            return stage
        case "filter":
            return FilterStage(pipeline.filter)
    raise ConfigError(f"there is no stage {name!r}; choose one of {', '.join(STAGE_INPUTS)}")


def _sample(
    pipeline: Pipeline, project_dir: Path, settings: Settings, opened: OpenStageModel
) -> SampleStage:
    def model(ref: str) -> ChatModel:
        return opened("sample", resolved(ref, project_dir))

    revise, reviser = pipeline.sample.revise, None
    if revise is not None:
        constitution = load_constitution(project_dir, revise.constitution)
        lock(project_dir, constitution)
        reviser = Reviser(revise, constitution, model(revise.model), nonce_key(settings))
    return SampleStage(pipeline.sample, [model(ref) for ref in pipeline.sample.models], reviser)


def build_sampler(pipeline: Pipeline, project_dir: Path, settings: Settings) -> SampleStage:
    """The sample stage of ``pipeline``, which may differ from the project's file."""
    return _sample(
        pipeline, project_dir, settings, partial(_opened, pipeline, project_dir, settings)
    )


def build_judge(project_dir: Path, settings: Settings, *, trial: str | None = None) -> JudgeStage:
    """The project's judge; ``trial`` has it judge by another version of its rubric, ID/VERSION.

    Raises what ``build_stage`` raises, and ``ConfigError`` where the project has no judge.
    """
    pipeline = load_pipeline(project_dir)
    if pipeline.judge.model is None and pipeline.judge.panel is None:
        raise ConfigError(
            f"{project_dir / FILE_NAME}: neither judge.model nor judge.panel is set, so there is "
            "no judge to ask"
        )
    opened = partial(_opened, pipeline, project_dir, settings)
    return _judge(pipeline, project_dir, settings, opened, trial)


def _judge(
    pipeline: Pipeline,
    project_dir: Path,
    settings: Settings,
    opened: OpenStageModel,
    trial: str | None = None,
) -> JudgeStage:
    judges = open_judges(
        pipeline.judge,
        project_dir,
        partial(opened, "judge"),
        checks=hard_check_names(pipeline.verify),
        policies=pipeline.sample.models,
        nonce_key=partial(nonce_key, settings),
        trial=trial,
    )
    return JudgeStage(pipeline.judge, judges)


def _refuse_disagreement(pair: PairSettings, judges: Judges, project_dir: Path) -> None:
    """Raise ``ConfigError`` where the judges could not judge what the pair stage makes."""
    if pair.rubric_id not in judges.names:
        raise ConfigError(
            f"{project_dir / FILE_NAME}: pair.rubric_id is {pair.rubric_id!r} and the judge goes "
            f"by {', '.join(judges.refs)}, so it would refuse every comparison; set pair.rubric_id "
            f"to one of {', '.join(sorted(judges.names))}"
        )
    if not pair.carry_set and any(one.settings.mode == "listwise" for one in judges.members):
        raise ConfigError(
            f"{project_dir / FILE_NAME}: a judge of mode listwise ranks whole sets, which "
            "comparisons carry only with pair.carry_set: true; set it"
        )


def _opened(
    pipeline: Pipeline, project_dir: Path, settings: Settings, stage: str, ref: str
) -> ChatModel:
    def metered(ref: str) -> ChatModel:
        budget = LiveBudget(project_dir / FILE_NAME, pipeline.inference.budget)
        return open_metered(ref, settings, pipeline.inference, stage=stage, budget=budget)

    if stage == "judge":
        return open_stored(ref, pipeline.judge.answers, settings, metered)
    return metered(ref)
