"""Panels: several judges with weights, as reviewed files ``panels/<id>/<version>.yaml``."""

from pathlib import Path
from typing import Self

import yaml
from pydantic import BaseModel, ConfigDict, Field, model_validator

from schemas.errors import ConfigError
from streams.judge.combine import Method
from streams.judge.settings import MemberSettings
from streams.versioned import Versioned, load_versioned, refuse_twice, versioned_path


class PanelMember(MemberSettings):
    """One judge of the panel: a model with a rubric or constitution, and what its word weighs."""

    name: str = Field(pattern=r"^[A-Za-z][\w.-]*$")
    weight: float = Field(default=1.0, ge=0)
    no_vote: str | None = None
    """Why its weight is 0. It is still asked and its opinions are stored, so that it can return."""

    @model_validator(mode="after")
    def _says_what_it_is(self) -> Self:
        if self.model is None or not (self.rubric or self.constitution):
            raise ValueError(f"member {self.name} needs a model, and a rubric or a constitution")
        if (self.weight == 0) != (self.no_vote is not None):
            raise ValueError(
                f"member {self.name}: give the reason as no_vote if, and only if, its weight is 0"
            )
        return self


class Cascade(BaseModel):
    """The cheap member first; the others only where it is not sure."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    first: str
    settled_margin: float = Field(gt=0)
    """|m| in log-odds of the first member from which its verdict stands alone; of a tie, how much
    likelier it must be than either candidate, in both orders."""


class Floor(BaseModel):
    """What a member must reach on the anchors to have a vote."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    kappa: float = Field(default=0.4, ge=-1, le=1)
    accuracy: float = Field(default=0.6, ge=0, le=1)
    """Of the anchors that it decided; a verdict that cannot be read counts as wrong."""
    anchors: int = Field(default=50, ge=1)
    """Judged by fewer, nobody knows."""


class Fitted(BaseModel):
    """What the weights were fitted on, written by ``prefstream panel fit``."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    panel: str
    """The panel whose opinions they were."""
    split: str
    anchors: int
    anchors_sha256: str
    """Of the ids of judgments and labels."""
    incomplete: int = 0
    """Anchors left out because a cascade had not asked every member."""
    agreement: dict[str, str] = Field(default_factory=dict)
    """What each member reached there."""
    cascade: str = ""
    """What the cascade's bound does to the anchors, where it was fitted."""


class Panel(Versioned):
    """A version of a panel; its verdicts carry its name."""

    folder = "panels"
    noun = "panel"

    method: Method = "majority"
    members: tuple[PanelMember, ...] = Field(min_length=1)
    cascade: Cascade | None = None
    floor: Floor = Floor()
    fitted_on: Fitted | None = None

    @model_validator(mode="after")
    def _members_can_be_told_apart_and_vote(self) -> Self:
        refuse_twice("member", (member.name for member in self.members))
        if not any(member.weight for member in self.members):
            raise ValueError("no member has a vote; give one a weight above 0")
        return self

    @model_validator(mode="after")
    def _the_first_of_a_cascade_can_decide_alone(self) -> Self:
        if self.cascade is None:
            return self
        first = next((one for one in self.members if one.name == self.cascade.first), None)
        if first is None:
            raise ValueError(f"cascade.first {self.cascade.first} is no member of the panel")
        if first.weight == 0 or first.samples or first.mode == "listwise":
            raise ValueError(
                f"cascade.first {first.name} cannot decide alone: it needs a vote, and a margin "
                "(so no samples, no ranking)"
            )
        return self


def panel_path(project_dir: Path, ref: str) -> Path:
    """Where the panel ``ID/VERSION`` stands."""
    return versioned_path(project_dir, Panel, ref)


def load_panel(project_dir: Path, ref: str) -> Panel:
    """The panel ``ID/VERSION`` of a project; raises as ``load_versioned``."""
    return load_versioned(project_dir, Panel, ref)


def next_version(project_dir: Path, panel: Panel) -> str:
    """The first free number after the panel's; raises ``ConfigError`` if that is no number."""
    if not panel.version.isdigit():
        raise ConfigError(
            f"{panel_path(project_dir, panel.ref)}: version {panel.version} is no number, so there "
            "is no next one; copy it as version 1 of a new panel"
        )
    number = int(panel.version) + 1
    while panel_path(project_dir, f"{panel.id}/{number}").exists():
        number += 1
    return str(number)


def write_panel(project_dir: Path, panel: Panel) -> None:
    """Write the panel's file; raises ``ConfigError`` where there is one or it cannot be written."""
    path = panel_path(project_dir, panel.ref)
    content = panel.model_dump(mode="json", exclude_defaults=True)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("x", encoding="utf-8") as file:
            yaml.safe_dump(content, file, sort_keys=False, allow_unicode=True)
    except OSError as error:
        raise ConfigError(f"{path} cannot be written ({error.strerror})") from None
