"""Rubrics: what an answer is judged by, as reviewed files ``rubrics/<id>/<version>.yaml``."""

import json
from pathlib import Path
from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from infra.yaml_config import load_yaml
from schemas.errors import ConfigError
from schemas.ids import ConfigHash, config_hash

DecidedBy = Literal["verifier", "judge", "people"]

# Shares written with three digits (0.333 each) are meant to sum to 1.
_ROUNDING = 0.0015


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
    weight: float | None = Field(default=None, gt=0, le=1)
    """Its share in the verdict, shown to the judge; None where all judged criteria count alike."""

    @model_validator(mode="after")
    def _check_is_named_for_verifiers_only(self) -> Self:
        if (self.decided_by == "verifier") != (self.check is not None):
            raise ValueError(
                f"criterion {self.id}: name a check if, and only if, it is decided_by: verifier"
            )
        return self


class WorkedExample(BaseModel):
    """A comparison with the answer that the judge should give to it, shown in every prompt."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    prompt: str = Field(min_length=1)
    a: str = Field(min_length=1)
    b: str = Field(min_length=1)
    evidence: str = Field(min_length=1)
    """The lines before the verdict, as the judge has to write them: ``A R4: quote met``."""
    verdict: Literal["A", "B", "tie"]


class Rubric(BaseModel):
    """A version of a rubric. Immutable once used (lock.py): events name it by id and version."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: str = Field(pattern=r"^[\w.-]+$")
    version: str = Field(pattern=r"^[\w.-]+$", coerce_numbers_to_str=True)
    criteria: tuple[Criterion, ...] = Field(min_length=1)
    instructions: str = Field(min_length=1)
    tie_policy: str = Field(min_length=1)
    examples: tuple[WorkedExample, ...] = ()

    @model_validator(mode="after")
    def _criteria_can_be_told_apart_and_judged(self) -> Self:
        ids = [criterion.id for criterion in self.criteria]
        twice = sorted({name for name in ids if ids.count(name) > 1})
        if twice:
            raise ValueError(f"criterion {', '.join(twice)} stands twice; give each its own id")
        if not self.judged:
            raise ValueError("no criterion is decided_by: judge, so there is nothing to judge")
        return self

    @model_validator(mode="after")
    def _weights_are_shares_of_what_is_judged(self) -> Self:
        odd = [c.id for c in self.criteria if c.weight is not None and c.decided_by != "judge"]
        if odd:
            raise ValueError(
                f"criterion {', '.join(odd)} has a weight, but only what the judge decides is "
                "weighed; a verifier's criterion is hard. Remove it"
            )
        weights = [criterion.weight for criterion in self.judged if criterion.weight is not None]
        if weights and len(weights) < len(self.judged):
            raise ValueError("give a weight to every criterion decided_by: judge, or to none")
        if weights and abs(sum(weights) - 1) > _ROUNDING:
            raise ValueError(
                f"the weights of the judged criteria sum to {sum(weights):g}; they are shares, so "
                "make them sum to 1"
            )
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
        """Hash of all of its content; comments and layout of the file do not count.

        Nor do fields that are left out: a later release that knows more fields keeps the hash.
        """
        content = self.model_dump(mode="json", exclude_defaults=True)
        return config_hash(json.dumps(content, sort_keys=True))


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
