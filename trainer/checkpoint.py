"""Checkpoint folders: loading a policy offline, and saving one whole or not at all."""

import os
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from schemas.errors import ConfigError
from schemas.records import Message

if TYPE_CHECKING:
    from transformers import PreTrainedModel, PreTrainedTokenizerBase

# What TRL cuts at if the model names no limit of its own.
_DEFAULT_MAX_LENGTH = 1024


@dataclass(frozen=True, kw_only=True)
class Policy:
    """A policy in memory; ``max_length`` is how many tokens of prompt and answer it is given."""

    model: "PreTrainedModel"
    tokenizer: "PreTrainedTokenizerBase"
    max_length: int

    def prompt_length(self, prompt: Sequence[Message]) -> int:
        """Tokens of the prompt as the chat template writes it, ready for an answer."""
        text = self.tokenizer.apply_chat_template(
            [message.model_dump() for message in prompt], add_generation_prompt=True, tokenize=False
        )
        return len(self.tokenizer(text, add_special_tokens=False).input_ids)


def load_policy(path: Path, max_length: int | None = None) -> Policy:
    """The causal model in the folder, in float32, without any network.

    Raises ``ConfigError`` where the folder is no checkpoint, the tokenizer has no chat template,
    or ``max_length`` is more than the model has positions for.
    """
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer

    if not (path / "config.json").is_file():
        raise ConfigError(f"{path}: no model checkpoint (config.json is missing); name its folder")
    try:
        model = AutoModelForCausalLM.from_pretrained(
            path, dtype=torch.float32, local_files_only=True
        )
        tokenizer = AutoTokenizer.from_pretrained(path, local_files_only=True)
    except (OSError, ValueError) as error:
        raise ConfigError(f"{path}: the checkpoint cannot be loaded ({error})") from None
    if tokenizer.chat_template is None:
        raise ConfigError(f"{path}: the tokenizer has no chat template; add chat_template.jinja")
    positions = getattr(model.config, "max_position_embeddings", None)
    if max_length and positions and max_length > positions:
        raise ConfigError(
            f"max_length {max_length} is more than the {positions} tokens that {path} can take"
        )
    return Policy(
        model=model,
        tokenizer=tokenizer,
        max_length=max_length or positions or _DEFAULT_MAX_LENGTH,
    )


def check_empty(out_dir: Path) -> None:
    """Raise ``ConfigError`` unless a new checkpoint may be written to the folder."""
    if out_dir.exists() and (not out_dir.is_dir() or any(out_dir.iterdir())):
        raise ConfigError(f"{out_dir}: not empty; choose another folder for the trained policy")


def save_policy(
    model: "PreTrainedModel", tokenizer: "PreTrainedTokenizerBase", out_dir: Path
) -> None:
    """Write beside ``out_dir`` and rename, so that a folder of that name is always complete."""
    part = part_dir(out_dir)
    model.save_pretrained(part)
    tokenizer.save_pretrained(part)
    if out_dir.exists():
        out_dir.rmdir()
    os.replace(part, out_dir)


def part_dir(out_dir: Path) -> Path:
    """The folder that becomes ``out_dir`` once it is complete."""
    return out_dir.with_name(f"{out_dir.name}.part")


def discard_part(out_dir: Path) -> None:
    """Remove what an unfinished save left behind."""
    shutil.rmtree(part_dir(out_dir), ignore_errors=True)
