"""An end to trainings none of whose rewards is known."""

from typing import TYPE_CHECKING, Final

from schemas.errors import ConfigError
from trainer import processes
from trainer.weighted_rewards import WeightedRewards

if TYPE_CHECKING:
    from transformers import TrainerCallback

# Where one prompt in ten can be checked, ten batches of four have none in one training of seventy.
_PATIENCE_BATCHES: Final = 10


def expecting(rewards: WeightedRewards) -> "TrainerCallback":
    """A callback that raises ``ConfigError`` where no process knew a reward in the first batches,
    or in all of them if they are fewer: nothing would be learned."""
    from transformers import TrainerCallback, TrainerControl, TrainerState, TrainingArguments

    class Expecting(TrainerCallback):  # type: ignore[misc,unused-ignore]
        known = False

        def on_train_begin(
            self,
            args: TrainingArguments,
            state: TrainerState,
            control: TrainerControl,
            **kwargs: object,
        ) -> None:
            del args, control, kwargs  # the signature is the library's
            # One that goes on is not ended for what it meets there.
            self.known = state.global_step > 0

        def on_step_end(
            self,
            args: TrainingArguments,
            state: TrainerState,
            control: TrainerControl,
            **kwargs: object,
        ) -> None:
            del args, control, kwargs
            self.known = self.known or processes.any_of(rewards.any_known)
            over = rewards.batches >= _PATIENCE_BATCHES or state.global_step >= state.max_steps
            if over and not self.known:
                raise ConfigError(
                    f"no answer of the first {rewards.batches} batches has a known reward "
                    f"({rewards.unknown()}); see what the reward functions are given, and for "
                    "verifiers whether the samples of the prompts have expectations"
                )

    return Expecting()
