"""How many tokens a chat has: by the model's own tokenizer where it lies here, else about."""

from collections.abc import Callable, Sequence
from pathlib import Path

from schemas.records import Message
from streams.inference.chat_tokens import prompt_ids
from streams.inference.identity import LOCAL
from streams.inference.settings import messages_tokens

Count = Callable[[Sequence[Message]], int]


def token_count(ref: str) -> tuple[Count, str]:
    """What counts the tokens of a prompt for the model, and in a word how: tokenizer or characters.

    A local folder's chat template counts in; characters know of none.
    """
    folder = Path(ref.removeprefix(LOCAL))
    if not (ref.startswith(LOCAL) and (folder / "tokenizer.json").is_file()):
        return messages_tokens, "characters"
    # imported here: it takes seconds, and only this branch needs it
    from transformers import AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(folder, local_files_only=True)
    return lambda messages: len(prompt_ids(tokenizer, messages)), "tokenizer"
