"""The judge section of a project with the versions that a judgment of before names."""

from pathlib import Path

from schemas.events import Judgment
from streams.inference.identity import ENDPOINT
from streams.judge.settings import JudgeSettings


def as_judged(judgment: Judgment, judge: JudgeSettings, project_dir: Path) -> JudgeSettings:
    """``judge`` with the panel, or the rubric or constitution, that the judgment names.

    These are immutable once used; everything else is as the section says today. A section that
    names no model any more gets the one that answered.
    """
    if judgment.panel:
        return judge.model_copy(
            update={"panel": judgment.panel, "model": None, "rubric": None, "constitution": None}
        )
    ref = judgment.opinions[0].rubric_version if judgment.opinions else ""
    ref = ref or judgment.rubric_version
    is_rubric = (project_dir / "rubrics" / f"{ref}.yaml").is_file()
    return judge.model_copy(
        update={
            "panel": None,
            "model": judge.model or f"{ENDPOINT}{judgment.teacher_model}",
            "rubric": ref if is_rubric else None,
            "constitution": None if is_rubric else ref,
        }
    )
