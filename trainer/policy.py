"""What a training algorithm takes and gives back: one interface for all of them."""

from collections.abc import Callable, Sequence
from pathlib import Path

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


class TrainedPolicy(Record):
    """A checkpoint folder that AutoModelForCausalLM loads offline, and how it was made.

    ``truncated`` counts the rows of which ``max_length`` cut something, ``dropped`` those whose
    prompt alone filled it. ``metrics`` are of the first and last logged step.
    """

    path: Path
    algorithm: str
    hyper_parameters: dict[str, str]
    rows: int
    dropped: int
    truncated: int
    steps: int
    seconds: float
    metrics: dict[str, float]


Train = Callable[[Sequence[Preference], Path, Path, Watch], TrainedPolicy]
"""An algorithm with its configuration applied: (rows, policy folder, new folder, watch).

Raises ``ConfigError`` where rows or policy cannot be used, ``Fatal`` where training diverges; the
new folder is then left as it was.
"""
