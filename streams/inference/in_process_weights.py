"""A model folder, loaded: weights, tokenizer, and what the decode loop must know of them."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import torch
from transformers import AutoModelForCausalLM, AutoTokenizer
from transformers.utils import logging as transformers_logging

from schemas.errors import Fatal
from schemas.records import Message
from streams.inference.chat_tokens import prompt_ids, text_ids
from streams.inference.device import Device, a_full_card_is_fatal, has_bfloat16
from streams.inference.identity import folder_fingerprint

if TYPE_CHECKING:
    from transformers import PreTrainedModel, PreTrainedTokenizerBase

# 64 threads on a quota of 2 cores wait for each other most of the time.
_CPU_QUOTA: Final = Path("/sys/fs/cgroup/cpu.max")
# For models that do not say how far they see.
_UNKNOWN_CONTEXT_TOKENS: Final = 2048


@dataclass(frozen=True, kw_only=True)
class Weights:
    """A loaded causal language model with its tokenizer."""

    model: "PreTrainedModel"
    device: Device
    """Where the model is, and whatever is given to it."""
    tokenizer: "PreTrainedTokenizerBase"
    fingerprint: str
    ends: frozenset[int]
    """Token ids that end an answer."""
    context_tokens: int
    """Prompt and answer together can be this long."""

    def prompt(self, messages: Sequence[Message]) -> list[int]:
        """Token ids of the chat template's text of the messages, ready for the answer."""
        return prompt_ids(self.tokenizer, messages)

    def encode(self, text: str) -> list[int]:
        """Token ids of the text as it stands, nothing added."""
        return text_ids(self.tokenizer, text)

    def text(self, ids: Sequence[int]) -> str:
        """The ids' text without special tokens."""
        return str(self.tokenizer.decode(list(ids), skip_special_tokens=True))

    def token_text(self, token: int) -> str:
        """One token's text; special tokens show by name."""
        return str(self.tokenizer.decode([token]))


def load_weights(folder: Path, device: Device) -> Weights:
    """Load the folder that ``save_pretrained`` wrote.

    Raises ``Fatal`` where there is none, where it cannot be loaded, where its tokenizer has no
    chat template, or where the card has no room for it.
    """
    fingerprint = folder_fingerprint(folder)
    transformers_logging.disable_progress_bar()  # type: ignore[no-untyped-call]
    try:
        tokenizer = AutoTokenizer.from_pretrained(folder, local_files_only=True)
        stored: Any = AutoModelForCausalLM.from_pretrained(
            folder, local_files_only=True, dtype="auto"
        )
    except Exception as error:  # whatever a half-written or foreign folder makes it raise
        raise Fatal(
            f"{folder}: the model cannot be loaded ({type(error).__name__}: {error}); "
            "name a folder that save_pretrained wrote for a causal language model"
        ) from error
    if not tokenizer.chat_template:
        raise Fatal(
            f"{folder}: the tokenizer has no chat template; set tokenizer.chat_template and save "
            "it again"
        )
    with a_full_card_is_fatal(f"{folder}: loading the model", "take a smaller one"):
        dtype = compute_type(stored.dtype, bfloat16=has_bfloat16(device))
        model = stored.to(device=device, dtype=dtype).eval()
    return Weights(
        model=model,
        device=device,
        tokenizer=tokenizer,
        fingerprint=fingerprint,
        ends=frozenset(_ids(model.generation_config.eos_token_id) + _ids(tokenizer.eos_token_id)),
        context_tokens=getattr(model.config, "max_position_embeddings", _UNKNOWN_CONTEXT_TOKENS),
    )


def compute_type(stored: torch.dtype, *, bfloat16: bool) -> torch.dtype:
    """bfloat16 only for weights stored so, and only where the device has units for it."""
    return torch.bfloat16 if bfloat16 and stored == torch.bfloat16 else torch.float32


def use_threads(threads: int | None) -> None:
    """Set torch's threads, for the whole process.

    None = torch's own choice (cores, affinity, OMP_NUM_THREADS) within the container's CPU quota.
    """
    torch.set_num_threads(threads or min(torch.get_num_threads(), _quota_cores()))


def _quota_cores() -> int:
    try:
        quota, period = _CPU_QUOTA.read_text(encoding="ascii").split()
        return max(1, math.ceil(int(quota) / int(period)))
    except (OSError, ValueError):  # no cgroup, or "max": no quota
        return torch.get_num_threads()


def _ids(value: int | list[int] | None) -> list[int]:
    if value is None:
        return []
    return [value] if isinstance(value, int) else list(value)
