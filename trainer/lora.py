"""Low-rank adaptation (Hu et al. 2021, arXiv 2106.09685): small matrices beside frozen weights."""

from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import Field

from schemas.errors import ConfigError
from schemas.records import Record
from trainer.policy import Kind

if TYPE_CHECKING:
    from peft import LoraConfig
    from torch import nn
    from transformers import PreTrainedModel


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
    target_modules: Annotated[tuple[str, ...], Field(min_length=1)] | Literal["all-linear"] = (
        "all-linear"
    )
    """Names of the layers that get an adapter."""

    def check(self, model: "PreTrainedModel") -> None:
        """Raise ``ConfigError`` where the model has no layer of one of the names.

        peft passes over a name as long as it finds another, and TRL refuses the output layer.
        """
        if isinstance(self.target_modules, str):
            return
        output = model.get_output_embeddings()  # type: ignore[no-untyped-call,unused-ignore]
        layers = [f".{name}" for name, layer in model.named_modules() if _adapts(layer, output)]
        for target in self.target_modules:
            if not any(name.endswith(f".{target}") for name in layers):
                known = sorted({name.rpartition(".")[2] for name in layers})
                raise ConfigError(
                    f"lora.target_modules: {target} is no layer of {model.name_or_path} that can "
                    f"have an adapter; choose among {', '.join(known)}, or set all-linear"
                )

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

    def drop_out(self, model: "nn.Module") -> None:
        """Set the adapters' dropout, which TRL turns off along with the policy's own."""
        from peft.tuners.lora import LoraLayer
        from torch import nn

        for layer in model.modules():
            if isinstance(layer, LoraLayer):
                for dropout in layer.lora_dropout.values():
                    if isinstance(dropout, nn.Dropout):
                        dropout.p = self.dropout


def _adapts(layer: "nn.Module", output: "nn.Module | None") -> bool:
    from torch import nn
    from transformers.pytorch_utils import Conv1D

    return layer is not output and isinstance(layer, nn.Linear | nn.Embedding | Conv1D)
