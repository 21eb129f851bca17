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
from streams.inference.identity import folder_fingerprint

if TYPE_CHECKING:
    from transformers import PreTrainedModel, PreTrainedTokenizerBase

# Without these units bfloat16 is emulated, many times slower than float32.
_BFLOAT16_FLAGS: Final = frozenset({"avx512_bf16", "amx_bf16"})
# 64 threads on a quota of 2 cores wait for each other most of the time.
_CPU_QUOTA: Final = Path("/sys/fs/cgroup/cpu.max")
# For models that do not say how far they see.
_UNKNOWN_CONTEXT_TOKENS: Final = 2048


@dataclass(frozen=True, kw_only=True)
class Weights:
    """A loaded causal language model with its tokenizer."""

    model: "PreTrainedModel"
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


def load_weights(folder: Path) -> Weights:
    """Load the folder that ``save_pretrained`` wrote.

    Raises ``Fatal`` where there is none, where it cannot be loaded, or where its tokenizer has no
    chat template.
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
    model = stored.to(compute_type(stored.dtype, _cpu_flags())).eval()
    return Weights(
        model=model,
        tokenizer=tokenizer,
        fingerprint=fingerprint,
        ends=frozenset(_ids(model.generation_config.eos_token_id) + _ids(tokenizer.eos_token_id)),
        context_tokens=getattr(model.config, "max_position_embeddings", _UNKNOWN_CONTEXT_TOKENS),
    )


def compute_type(stored: torch.dtype, cpu_flags: frozenset[str]) -> torch.dtype:
    """bfloat16 only for weights stored so, and only where the processor has units for it."""
    if stored == torch.bfloat16 and cpu_flags & _BFLOAT16_FLAGS:
        return torch.bfloat16
    return torch.float32


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


def _cpu_flags() -> frozenset[str]:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:  # not Linux: float32 is always right
        return frozenset()
    return frozenset(next((line.split() for line in lines if line.startswith("flags")), ()))


def _ids(value: int | list[int] | None) -> list[int]:
    if value is None:
        return []
    return [value] if isinstance(value, int) else list(value)
