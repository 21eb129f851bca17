"""Low-rank adaptation (Hu et al. 2021, arXiv 2106.09685): small matrices beside frozen weights."""

from typing import TYPE_CHECKING, Literal

from pydantic import Field

from schemas.records import Record
from trainer.policy import Kind

if TYPE_CHECKING:
    from peft import LoraConfig


_TASKS: dict[Kind, str] = {"policy": "CAUSAL_LM", "reward_model": "SEQ_CLS"}


class LoraSettings(Record):
    """The ``lora`` part of an algorithm's section; a learning rate ten times higher suits it.

    The trained checkpoint is the policy with the adapter merged into it, so that it loads wherever
    a policy does; the adapter alone lies in its folder ``adapter``.
    """

    rank: int = Field(default=16, ge=1)
    alpha: float = Field(default=32, gt=0)
    """The adapter's product is scaled by ``alpha / rank``."""
    dropout: float = Field(default=0.0, ge=0, lt=1)
    target_modules: tuple[str, ...] | Literal["all-linear"] = "all-linear"
    """Names of the layers that get an adapter."""

    def of_peft(self, kind: Kind) -> "LoraConfig":
        """The same as peft takes it."""
        from peft import LoraConfig

        targets = self.target_modules
        return LoraConfig(
            r=self.rank,
            lora_alpha=self.alpha,  # type: ignore[arg-type,unused-ignore]
            lora_dropout=self.dropout,
            target_modules=targets if isinstance(targets, str) else list(targets),
            task_type=_TASKS[kind],
        )
