"""Checkpoint folders: loading a policy offline, and the folder that a new one is made in."""

import json
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from schemas.errors import ConfigError
from schemas.records import Message
from streams.inference.device import a_full_card_is_fatal, compute_device

if TYPE_CHECKING:
    from transformers import PreTrainedModel, PreTrainedTokenizerBase

# What TRL cuts at if the model names no limit of its own.
_DEFAULT_MAX_LENGTH = 1024


@dataclass(frozen=True, kw_only=True)
class Policy:
    """A model in memory; ``max_length`` is how many tokens of prompt and answer it is given."""

    model: "PreTrainedModel"
    tokenizer: "PreTrainedTokenizerBase"
    max_length: int

    def to_device(self) -> None:
        """Move the model to where this process computes, and out of training.

        A trainer moves its model itself.
        """
        with a_full_card_is_fatal(f"loading {self.model.name_or_path}", "take a smaller model"):
            # transformers' wrapper around torch's own is not typed for it
            self.model.to(compute_device()).eval()  # type: ignore[arg-type]

    def token_ids(
        self, chats: Sequence[Sequence[Message]], *, for_answer: bool = False
    ) -> list[list[int]]:
        """Tokens of each chat as the template writes it; ``for_answer``: ready for one.

        Raises ``ConfigError`` for a chat that the template refuses.
        """
        texts = [self._text(chat, for_answer) for chat in chats]
        ids: list[list[int]] = self.tokenizer(texts, add_special_tokens=False).input_ids
        return ids

    def _text(self, chat: Sequence[Message], for_answer: bool) -> str:
        turns = [message.model_dump() for message in chat]
        try:
            return str(
                self.tokenizer.apply_chat_template(
                    turns, add_generation_prompt=for_answer, tokenize=False
                )
            )
        except Exception as error:  # a template raises what it likes, such as for an unknown role
            roles = ", ".join(message.role for message in chat)
            raise ConfigError(
                f"{self.model.name_or_path}: its chat template refuses turns of {roles} ({error}); "
                "take a policy that knows them, or freeze without such prompts by --exclude"
            ) from None


def load_policy(path: Path, max_length: int | None = None) -> Policy:
    """The causal model in the folder, in float32, without any network.

    Raises ``ConfigError`` where the folder is no checkpoint or that of a reward model, the
    tokenizer has no chat template, or ``max_length`` is more than the model has positions for.
    """
    from transformers import AutoModelForCausalLM

    if _is_reward_model(path):
        raise ConfigError(f"{path}: a reward model, which writes no answers; name a policy")
    return _load(path, max_length, AutoModelForCausalLM)


def load_reward_model(path: Path, max_length: int | None = None, *, trained: bool = True) -> Policy:
    """The sequence classifier in the folder: one score for a chat. As ``load_policy`` otherwise.

    With ``trained=False`` the folder may hold a policy: it is given a new head, from torch's seed.
    """
    from transformers import AutoModelForSequenceClassification
    from trl.trainer.reward_trainer import suppress_seqcls_warning

    if trained and not _is_reward_model(path):
        raise ConfigError(f"{path}: no reward model; train one by --algorithm reward")
    with suppress_seqcls_warning():
        loaded = _load(path, max_length, AutoModelForSequenceClassification, num_labels=1)
    if loaded.tokenizer.pad_token is None:
        loaded.tokenizer.pad_token = loaded.tokenizer.eos_token
    # The score is read at the last token that is not padding.
    loaded.model.config.pad_token_id = loaded.tokenizer.pad_token_id
    return loaded


def _load(path: Path, max_length: int | None, auto: Any, **options: object) -> Policy:
    import torch

    tokenizer = _load_tokenizer(path)
    with _loading(path):
        model = auto.from_pretrained(path, dtype=torch.float32, local_files_only=True, **options)
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


def _load_tokenizer(path: Path) -> "PreTrainedTokenizerBase":
    from transformers import AutoTokenizer

    if not (path / "config.json").is_file():
        raise ConfigError(f"{path}: no model checkpoint (config.json is missing); name its folder")
    with _loading(path):
        tokenizer: PreTrainedTokenizerBase = AutoTokenizer.from_pretrained(
            path, local_files_only=True
        )
    if tokenizer.chat_template is None:
        raise ConfigError(f"{path}: the tokenizer has no chat template; add chat_template.jinja")
    return tokenizer


@contextmanager
def _loading(path: Path) -> Iterator[None]:
    try:
        yield
    except Exception as error:  # whatever a half-written or foreign folder makes it raise
        raise ConfigError(f"{path}: the checkpoint cannot be loaded ({error})") from None


def _is_reward_model(path: Path) -> bool:
    try:
        config = json.loads((path / "config.json").read_text(encoding="utf-8"))
        return any(name.endswith("ForSequenceClassification") for name in config["architectures"])
    except (OSError, ValueError, KeyError, TypeError):
        return False


def check_start(path: Path) -> None:
    """Raise ``ConfigError`` where the folder cannot be trained from, as far as can be told without
    its weights: it is no checkpoint, or its tokenizer cannot be loaded or has no chat template."""
    _load_tokenizer(path)


def check_empty(out_dir: Path) -> None:
    """Raise ``ConfigError`` unless a new checkpoint may be written to the folder."""
    if out_dir.exists() and (not out_dir.is_dir() or any(out_dir.iterdir())):
        raise ConfigError(f"{out_dir}: not empty; choose another folder for the trained policy")


def part_dir(out_dir: Path) -> Path:
    """The folder beside ``out_dir`` in which it is trained."""
    return out_dir.with_name(f"{out_dir.name}.part")


def discard_part(out_dir: Path) -> None:
    """Remove that folder with all that it holds."""
    shutil.rmtree(part_dir(out_dir), ignore_errors=True)
