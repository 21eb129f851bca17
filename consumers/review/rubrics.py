"""The rubric that stands beside a pair."""

from collections.abc import Callable
from functools import cache
from pathlib import Path

from streams.judge.rubric import Rubric, load_rubric
from streams.pipeline import load_pipeline

FindRubric = Callable[[str], Rubric | None]
"""From a comparison's ``rubric_id`` to the rubric, None where the project has none of that id."""


def project_rubrics(project_dir: Path) -> FindRubric:
    """The rubrics of a project: the version that an id names, else the one the judge reads.

    Raises ``ConfigError`` for a project that cannot be read, at once and not at the first item.
    """
    judged = load_pipeline(project_dir).judge.rubric
    known = {} if judged is None else {judged.partition("/")[0]: load_rubric(project_dir, judged)}

    @cache
    def find(rubric_id: str) -> Rubric | None:
        name, _, version = rubric_id.partition("/")
        if version and (project_dir / "rubrics" / name / f"{version}.yaml").is_file():
            return load_rubric(project_dir, rubric_id)
        return known.get(name)

    return find


def no_rubrics(_: str) -> Rubric | None:
    """Where no project was named."""
    return None
