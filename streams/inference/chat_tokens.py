"""A chat as the token ids that a model reads: its template's text, encoded as it stands."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from schemas.records import Message

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase


def prompt_ids(tokenizer: "PreTrainedTokenizerBase", messages: Sequence[Message]) -> list[int]:
    """Token ids of the chat template's text of the messages, ready for the answer."""
    chat = [{"role": message.role, "content": message.content} for message in messages]
    text: Any = tokenizer.apply_chat_template(chat, add_generation_prompt=True, tokenize=False)
    return text_ids(tokenizer, str(text))


def text_ids(tokenizer: "PreTrainedTokenizerBase", text: str) -> list[int]:
    """Token ids of the text as it stands, nothing added."""
    ids: list[int] = tokenizer(text, add_special_tokens=False)["input_ids"]
    return ids
