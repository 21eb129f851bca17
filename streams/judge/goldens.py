"""Golden prompts: comparisons whose verdict is known, ``goldens/<rubric id>/<criterion>.yaml``.

They pin down what a criterion means. A file holds those of one criterion; the ids of those that the
judge got right stand in ``passed.json`` beside them, so that a later change that loses one shows.
"""

import json
from pathlib import Path
from typing import Final, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from infra.yaml_config import load_yaml
from schemas.errors import ConfigError
from schemas.events import Comparison
from schemas.ids import derived_id
from schemas.records import Winner
from streams.judge.given_pair import given_pair
from streams.judge.rubric import Rubric

PASSED: Final = "passed.json"
_WINNERS: Final = {"A": Winner.A, "B": Winner.B, "tie": Winner.TIE}


class Golden(BaseModel):
    """One comparison with its right verdict, and ``why`` it is right, for whoever reviews it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: str = Field(pattern=r"^[\w.-]+$")
    prompt: str = Field(min_length=1)
    a: str = Field(min_length=1)
    b: str = Field(min_length=1)
    winner: Literal["A", "B", "tie"]
    why: str = ""

    @property
    def expected(self) -> Winner:
        """The verdict as a judgment names it."""
        return _WINNERS[self.winner]

    def comparison_id(self, rubric_id: str) -> str:
        """The id of its comparison under every version of the rubric."""
        return derived_id("Comparison", "golden", [rubric_id, self.id], "")

    def comparison(self, rubric_id: str, workload: str) -> Comparison:
        """The golden as the judge stage gets it."""
        name = self.comparison_id(rubric_id)
        return given_pair(name, self.prompt, self.a, self.b, rubric_id=rubric_id, workload=workload)


class CriterionGoldens(BaseModel):
    """One file: the goldens of one criterion."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    criterion: str
    goldens: tuple[Golden, ...] = Field(min_length=1)


class Goldens(BaseModel):
    """All goldens of a rubric, over its versions."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    files: tuple[CriterionGoldens, ...] = Field(min_length=1)

    @model_validator(mode="after")
    def _goldens_can_be_told_apart(self) -> Self:
        ids = [golden.id for file in self.files for golden in file.goldens]
        twice = sorted({name for name in ids if ids.count(name) > 1})
        if twice:
            raise ValueError(f"golden {', '.join(twice)} stands twice; give each its own id")
        return self

    def asked(self, rubric: Rubric) -> list[tuple[str, Golden]]:
        """(criterion, golden) for the criteria that this version has its judge decide."""
        judged = {criterion.id for criterion in rubric.judged}
        return [
            (file.criterion, golden)
            for file in self.files
            if file.criterion in judged
            for golden in file.goldens
        ]


class Passed(BaseModel):
    """``passed.json``: the goldens that a judge got right when somebody last recorded it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    rubric: str
    judge_config_hash: str
    passed: tuple[str, ...]


def load_goldens(project_dir: Path, rubric_id: str) -> Goldens:
    """The goldens of a rubric; raises ``ConfigError`` with file, line and remedy."""
    folder = _folder(project_dir, rubric_id)
    paths = sorted(folder.glob("*.yaml"))
    if not paths:
        raise ConfigError(
            f"{folder} holds no golden prompts; write one file a criterion there, such as R1.yaml"
        )
    try:
        return Goldens(files=tuple(load_yaml(path, CriterionGoldens) for path in paths))
    except ValidationError as error:
        raise ConfigError(f"{folder}: {error.errors()[0]['msg']}") from None


def load_passed(project_dir: Path, rubric_id: str) -> Passed | None:
    """What was recorded; None before the first time. Raises ``ConfigError`` for a damaged file."""
    path = _folder(project_dir, rubric_id) / PASSED
    if not path.exists():
        return None
    try:
        return Passed.model_validate_json(path.read_bytes())
    except (OSError, ValidationError):
        raise ConfigError(f"{path} cannot be read; restore it, or record it again") from None


def record_passed(project_dir: Path, rubric_id: str, passed: Passed) -> Path:
    """Write ``passed.json``, one id a line so that a review shows each change."""
    path = _folder(project_dir, rubric_id) / PASSED
    content = f"{json.dumps(passed.model_dump(mode='json'), indent=2)}\n"
    part = path.with_suffix(".part")
    part.write_text(content, encoding="utf-8")
    part.replace(path)
    return path


def _folder(project_dir: Path, rubric_id: str) -> Path:
    return project_dir / "goldens" / rubric_id
