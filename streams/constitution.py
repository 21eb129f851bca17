"""Constitutions: principles for what no verifier can check, ``constitutions/<id>/<version>.yaml``.

A judge compares by a constitution as by a rubric whose criteria are its principles; the sample
stage critiques and revises answers under it (Bai et al. 2022, arXiv 2212.08073).
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from schemas.ids import unit_interval
from streams.versioned import Versioned, load_versioned, refuse_twice


class Principle(BaseModel):
    """One thing that a good answer does or leaves; ``critique`` and ``revise`` ask for it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: str = Field(pattern=r"^[A-Za-z][\w-]*$")
    text: str = Field(min_length=1)
    critique: str = Field(min_length=1)
    """What to ask of an answer: where does it break the principle?"""
    revise: str = Field(min_length=1)
    """What to ask for then."""


class Constitution(Versioned):
    """A version of a constitution."""

    folder = "constitutions"
    noun = "constitution"

    principles: tuple[Principle, ...] = Field(min_length=1)
    instructions: str = Field(min_length=1)
    tie_policy: str = Field(min_length=1)

    @model_validator(mode="after")
    def _principles_can_be_told_apart(self) -> Self:
        refuse_twice("principle", (principle.id for principle in self.principles))
        return self


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
    """The constitution ``ID/VERSION`` of a project; raises as ``load_versioned``."""
    return load_versioned(project_dir, Constitution, ref)
