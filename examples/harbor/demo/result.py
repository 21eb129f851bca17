"""What a demo run found: the figures of its last line."""

from pydantic import BaseModel, ConfigDict

from consumers.accounting import StageAccount
from trainer.evaluate import Evaluation


class PolicyFigures(BaseModel):
    """Execution accuracy on the benchmark with its 95 % interval, and length in characters."""

    model_config = ConfigDict(frozen=True)

    accuracy: float
    low: float
    high: float
    n: int
    median_length: float

    @classmethod
    def of(cls, evaluation: Evaluation) -> "PolicyFigures":
        """The figures of an evaluation."""
        return cls(
            accuracy=evaluation.accuracy.value or 0.0,
            low=evaluation.accuracy.low,
            high=evaluation.accuracy.high,
            n=evaluation.accuracy.n,
            median_length=evaluation.median_length,
        )


class AccountingFigures(BaseModel):
    """Whether every event was found again, and where each stage's went."""

    model_config = ConfigDict(frozen=True)

    closed: bool
    stages: dict[str, StageAccount]


class DemoResult(BaseModel):
    """The last line of `prefstream demo --json`. A policy that the gate refused is missing."""

    model_config = ConfigDict(frozen=True)

    policies: dict[str, PolicyFigures]
    chosen_wrong: dict[str, float | None]
    kappa: float | None
    pairs: int
    accounting: AccountingFigures
    seconds: float
