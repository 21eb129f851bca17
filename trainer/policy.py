"""What a training algorithm takes and gives back: one interface for all of them."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Literal

from pydantic import Field

from schemas.events import Preference
from schemas.records import Record


class Progress(Record):
    """How far a training is: ``metrics`` are those of its last logged step."""

    step: int = Field(ge=0)
    steps: int = Field(ge=0)
    metrics: dict[str, float] = Field(default_factory=dict)


Watch = Callable[[Progress], None]
"""Called at every logged step; raises nothing."""


Kind = Literal["policy", "reward_model"]
"""A policy is loaded by AutoModelForCausalLM, a reward model (one score for a chat) by
AutoModelForSequenceClassification; both offline."""


class TrainedPolicy(Record):
    """A checkpoint folder that loads offline as its ``kind`` says, and how it was made.

    ``rows`` are the preferences trained on. ``truncated`` counts those of them of which
    ``max_length`` cut something that the algorithm reads. ``dropped`` counts those left out: their
    prompt alone fills ``max_length``, or, for a reward model, which reads whole texts only, the
    longer answer does not fit. ``resumed_from`` is the step of the checkpoint that it went on from,
    0 where it started anew; ``seconds`` and ``metrics`` (of the first and last logged step) are
    then of what was left.
    """

    path: Path
    kind: Kind = "policy"
    algorithm: str
    hyper_parameters: dict[str, str]
    rows: int
    dropped: int
    truncated: int
    steps: int
    resumed_from: int = 0
    seconds: float
    metrics: dict[str, float]

    def numbers(self) -> dict[str, float]:
        """For a Run event: the metrics, and what became of the rows."""
        counted = {"rows": self.rows, "truncated": self.truncated, "dropped": self.dropped}
        return self.metrics | {name: float(n) for name, n in counted.items()}


Train = Callable[[Sequence[Preference], Path, Path, Watch], TrainedPolicy]
"""An algorithm with its configuration applied: (rows, policy folder, new folder, watch).

Raises ``ConfigError`` where rows or policy cannot be used, ``Fatal`` where training diverges; the
new folder is then left as it was.
"""
