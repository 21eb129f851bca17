"""Rubrics: what an answer is judged by, as reviewed files ``rubrics/<id>/<version>.yaml``."""

from pathlib import Path
from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from infra.yaml_config import load_yaml
from schemas.errors import ConfigError
from schemas.ids import ConfigHash, config_hash

DecidedBy = Literal["verifier", "judge", "people"]


class Criterion(BaseModel):
    """One thing an answer is judged by, and who decides it.

    A ``verifier`` criterion is decided by the check named in ``check`` before any judge is asked;
    a ``judge`` criterion by the model; a ``people`` criterion only by annotators and audits.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: str = Field(pattern=r"^[A-Za-z][\w-]*$")
    text: str = Field(min_length=1)
    decided_by: DecidedBy
    check: str | None = None
    weight: float = Field(default=1.0, gt=0)

    @model_validator(mode="after")
    def _check_is_named_for_verifiers_only(self) -> Self:
        if (self.decided_by == "verifier") != (self.check is not None):
            raise ValueError(
                f"criterion {self.id}: name a check if, and only if, it is decided_by: verifier"
            )
        return self


class Rubric(BaseModel):
    """A version of a rubric. Immutable once used: its hash is part of the judge_config_hash."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: str = Field(pattern=r"^[\w.-]+$")
    version: str = Field(pattern=r"^[\w.-]+$", coerce_numbers_to_str=True)
    criteria: tuple[Criterion, ...] = Field(min_length=1)
    instructions: str = Field(min_length=1)
    tie_policy: str = Field(min_length=1)

    @model_validator(mode="after")
    def _criteria_can_be_told_apart_and_judged(self) -> Self:
        ids = [criterion.id for criterion in self.criteria]
        twice = sorted({name for name in ids if ids.count(name) > 1})
        if twice:
            raise ValueError(f"criterion {', '.join(twice)} stands twice; give each its own id")
        if not self.judged:
            raise ValueError("no criterion is decided_by: judge, so there is nothing to judge")
        return self

    @property
    def ref(self) -> str:
        """``ID/VERSION``, as settings and events name it."""
        return f"{self.id}/{self.version}"

    @property
    def judged(self) -> tuple[Criterion, ...]:
        """The criteria that the judge is asked about."""
        return tuple(each for each in self.criteria if each.decided_by == "judge")

    @property
    def hash(self) -> ConfigHash:
        """Hash of all of its content; comments and layout of the file do not count."""
        return config_hash(self)


def load_rubric(project_dir: Path, ref: str) -> Rubric:
    """The rubric ``ID/VERSION`` of a project.

    Raises ``ConfigError`` with file, line and remedy, also where the file says another id or
    version than its path.
    """
    rubric_id, _, version = ref.partition("/")
    path = project_dir / "rubrics" / rubric_id / f"{version}.yaml"
    rubric = load_yaml(path, Rubric)
    if rubric.ref != ref:
        raise ConfigError(
            f"{path}:1: this file says it is rubric {rubric.ref}; "
            f"make id and version those of its path, {ref}"
        )
    return rubric
