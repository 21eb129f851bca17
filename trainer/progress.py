"""The trainer's log as it grows: live progress, and an end to trainings that diverge."""

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from schemas.errors import Fatal
from trainer.policy import Progress, Watch

if TYPE_CHECKING:
    from transformers import TrainerCallback

# What TRL adds at the very end, about the whole run and not about a step.
_SUMMARY = "train_runtime"


class Diverged(Fatal):
    """Loss or weights are no longer numbers."""


@dataclass
class StepLog:
    """Every logged step's metrics, oldest first."""

    steps: list[dict[str, float]] = field(default_factory=list)

    def first_and_last(self) -> dict[str, float]:
        """Metrics of the first and last logged step as ``first_…`` and ``last_…``."""
        if not self.steps:
            return {}
        first, last = self.steps[0], self.steps[-1]
        return {f"first_{k}": v for k, v in first.items()} | {
            f"last_{k}": v for k, v in last.items()
        }


def watching(watch: Watch, log: StepLog) -> "TrainerCallback":
    """A callback that fills ``log`` and tells ``watch``; ``Diverged`` if the loss is no number."""
    from transformers import TrainerCallback, TrainerControl, TrainerState, TrainingArguments

    class Watching(TrainerCallback):  # type: ignore[misc,unused-ignore]
        def on_log(
            self,
            args: TrainingArguments,
            state: TrainerState,
            control: TrainerControl,
            logs: dict[str, float | None] | None = None,
            **kwargs: object,
        ) -> None:
            del args, control, kwargs  # the signature is the library's
            # None is the mean of numbers of which none is one.
            metrics = {
                name: float(value) for name, value in (logs or {}).items() if value is not None
            }
            # The summary's mean tells of the steps after the last logged one.
            loss = metrics.get("loss", metrics.get("train_loss", 0.0))
            if not math.isfinite(loss):
                raise Diverged(
                    f"the loss became {loss} by step {state.global_step}; lower the learning rate"
                )
            if _SUMMARY in metrics:
                return
            log.steps.append(metrics)
            watch(Progress(step=state.global_step, steps=state.max_steps, metrics=metrics))

    return Watching()
