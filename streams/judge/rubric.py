"""Rubrics: what an answer is judged by, as reviewed files ``rubrics/<id>/<version>.yaml``."""

from pathlib import Path
from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from streams.versioned import Versioned, load_versioned, refuse_twice

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


class Rubric(Versioned):
    """A version of a rubric."""

    folder = "rubrics"
    noun = "rubric"

    criteria: tuple[Criterion, ...] = Field(min_length=1)
    instructions: str = Field(min_length=1)
    tie_policy: str = Field(min_length=1)
    examples: tuple[WorkedExample, ...] = ()

    @model_validator(mode="after")
    def _criteria_can_be_told_apart_and_judged(self) -> Self:
        refuse_twice("criterion", (criterion.id for criterion in self.criteria))
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
    def judged(self) -> tuple[Criterion, ...]:
        """The criteria that the judge is asked about."""
        return tuple(each for each in self.criteria if each.decided_by == "judge")


def load_rubric(project_dir: Path, ref: str) -> Rubric:
    """The rubric ``ID/VERSION`` of a project; raises as ``load_versioned``."""
    return load_versioned(project_dir, Rubric, ref)
