"""Constitutions: principles for what no verifier can check, ``constitutions/<id>/<version>.yaml``.

A judge compares by a constitution as by a rubric whose criteria are its principles; the sample
stage critiques and revises answers under it (Bai et al. 2022, arXiv 2212.08073).
"""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from infra.yaml_config import load_yaml
from schemas.errors import ConfigError
from schemas.ids import ConfigHash, config_hash, unit_interval


class Principle(BaseModel):
    """One thing that a good answer does or leaves; ``critique`` and ``revise`` ask for it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: str = Field(pattern=r"^[A-Za-z][\w-]*$")
    text: str = Field(min_length=1)
    critique: str = Field(min_length=1)
    """What to ask of an answer: where does it break the principle?"""
    revise: str = Field(min_length=1)
    """What to ask for then."""


class Constitution(BaseModel):
    """A version of a constitution. Immutable once used, as a rubric is."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: str = Field(pattern=r"^[\w.-]+$")
    version: str = Field(pattern=r"^[\w.-]+$", coerce_numbers_to_str=True)
    principles: tuple[Principle, ...] = Field(min_length=1)
    instructions: str = Field(min_length=1)
    tie_policy: str = Field(min_length=1)

    @model_validator(mode="after")
    def _principles_can_be_told_apart(self) -> Self:
        ids = [principle.id for principle in self.principles]
        twice = sorted({name for name in ids if ids.count(name) > 1})
        if twice:
            raise ValueError(f"principle {', '.join(twice)} stands twice; give each its own id")
        return self

    @property
    def ref(self) -> str:
        """``ID/VERSION``, as settings and events name it."""
        return f"{self.id}/{self.version}"

    @property
    def hash(self) -> ConfigHash:
        """Hash of its content as ``Rubric.hash``: layout and fields left out do not count."""
        content = self.model_dump(mode="json", exclude_defaults=True)
        return config_hash(json.dumps(content, sort_keys=True))


def drawn_principles(
    constitution: Constitution, count: int | None, *key: str
) -> Sequence[Principle]:
    """``count`` principles by a stable hash of ``key`` (a comparison's or prompt's id), in the
    order of the file; all of them where ``count`` is None or not fewer.
    """
    if count is None or count >= len(constitution.principles):
        return constitution.principles
    drawn = sorted(
        constitution.principles,
        key=lambda principle: unit_interval("principle", constitution.ref, principle.id, *key),
    )[:count]
    return [principle for principle in constitution.principles if principle in drawn]


def load_constitution(project_dir: Path, ref: str) -> Constitution:
    """The constitution ``ID/VERSION`` of a project.

    Raises ``ConfigError`` with file, line and remedy, also where the file says another id or
    version than its path.
    """
    constitution_id, _, version = ref.partition("/")
    path = project_dir / "constitutions" / constitution_id / f"{version}.yaml"
    constitution = load_yaml(path, Constitution)
    if constitution.ref != ref:
        raise ConfigError(
            f"{path}:1: this file says it is constitution {constitution.ref}; "
            f"make id and version those of its path, {ref}"
        )
    return constitution
