"""Reviewed files with a name and a version, ``<folder>/<id>/<version>.yaml`` of a project."""

import json
from collections.abc import Iterable
from pathlib import Path
from typing import ClassVar, TypeVar

from pydantic import BaseModel, ConfigDict, Field

from infra.yaml_config import load_yaml
from schemas.errors import ConfigError
from schemas.ids import ConfigHash, config_hash


class Versioned(BaseModel):
    """A version of something. Immutable once used (judge/lock.py): events name it by id and
    version.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    folder: ClassVar[str]
    """Where such files stand in a project."""
    noun: ClassVar[str]
    """What errors call it."""

    id: str = Field(pattern=r"^[\w.-]+$")
    version: str = Field(pattern=r"^[\w.-]+$", coerce_numbers_to_str=True)

    @property
    def ref(self) -> str:
        """``ID/VERSION``, as settings and events name it."""
        return f"{self.id}/{self.version}"

    @property
    def hash(self) -> ConfigHash:
        """Hash of all of its content; comments and layout of the file do not count.

        Nor do fields that are left out: a later release that knows more fields keeps the hash.
        """
        content = self.model_dump(mode="json", exclude_defaults=True)
        return config_hash(json.dumps(content, sort_keys=True))


V = TypeVar("V", bound=Versioned)


def versioned_path(project_dir: Path, kind: type[Versioned], ref: str) -> Path:
    """Where the version ``ID/VERSION`` stands."""
    name, _, version = ref.partition("/")
    return project_dir / kind.folder / name / f"{version}.yaml"


def load_versioned(project_dir: Path, kind: type[V], ref: str) -> V:
    """The version ``ID/VERSION`` of a project.

    Raises ``ConfigError`` with file, line and remedy, also where the file says another id or
    version than its path.
    """
    path = versioned_path(project_dir, kind, ref)
    found = load_yaml(path, kind)
    if found.ref != ref:
        raise ConfigError(
            f"{path}:1: this file says it is {kind.noun} {found.ref}; "
            f"make id and version those of its path, {ref}"
        )
    return found


def refuse_twice(what: str, names: Iterable[str]) -> None:
    """Raise ValueError where two parts of a file have the same name."""
    known = list(names)
    twice = sorted({name for name in known if known.count(name) > 1})
    if twice:
        raise ValueError(f"{what} {', '.join(twice)} stands twice; give each its own name")
