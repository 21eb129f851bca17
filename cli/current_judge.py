"""The judge that a project has now, by what its verdicts carry. Nobody is asked, nothing loaded."""

from functools import partial
from pathlib import Path

from infra.nonce_key import nonce_key
from infra.settings import Settings
from schemas.errors import ConfigError
from streams.inference.identity import model_name
from streams.judge.open_judges import open_judges
from streams.judge.settings import JudgeSettings
from streams.judge.stage import JudgeStage
from streams.judge.stored import ReplayedModel
from streams.judge.verdict_store import VerdictStore
from streams.pipeline import Pipeline
from streams.verify.check_names import check_names

CURRENT = "current"
"""Instead of a judge_config_hash: that of the project's judge."""


def unasked(
    judge: JudgeSettings, pipeline: Pipeline, project_dir: Path, settings: Settings
) -> JudgeStage:
    """The stage of these settings, which renders and hashes as one that judges does.

    Raises ``ConfigError`` as ``open_judges`` and ``Fatal`` where a folder holds no model.
    """
    judges = open_judges(
        judge,
        project_dir,
        lambda ref: ReplayedModel(model_name(ref), VerdictStore(), ref),
        checks=check_names(pipeline.verify),
        policies=(),
        nonce_key=partial(nonce_key, settings),
    )
    return JudgeStage(judge, judges)


def current_judge(pipeline: Pipeline, project_dir: Path, settings: Settings) -> str | None:
    """The judge_config_hash of the project's judge, None where there is none.

    Raises as ``unasked``.
    """
    stage = unasked(pipeline.judge, pipeline, project_dir, settings)
    return stage.judge_config_hash if stage.judges else None


def judge_config(
    wanted: str | None, pipeline: Pipeline, project_dir: Path, settings: Settings
) -> str | None:
    """The judge_config_hash that an option names, None where it names none.

    Raises ``ConfigError`` where it names the project's judge and there is none, and as ``unasked``.
    """
    if wanted != CURRENT:
        return wanted
    found = current_judge(pipeline, project_dir, settings)
    if found is None:
        raise ConfigError(
            f"{project_dir}: the project has no judge, so --judge-config {CURRENT} names none; "
            "give the judge_config_hash of the rlaif rows that are wanted, or take other sources"
        )
    return found
