"""How many tokens a text has: by the model's own tokenizer where it lies here, else about."""

from collections.abc import Callable
from pathlib import Path

from streams.inference.identity import LOCAL
from streams.inference.settings import text_tokens

Count = Callable[[str], int]


def token_count(ref: str) -> tuple[Count, str]:
    """What counts tokens of texts for the model, and in a word how: tokenizer or characters.

    A chat template's own tokens, a handful for each message, are not counted.
    """
    file = Path(ref.removeprefix(LOCAL)) / "tokenizer.json"
    if not (ref.startswith(LOCAL) and file.is_file()):
        return text_tokens, "characters"
    from tokenizers import Tokenizer

    tokenizer = Tokenizer.from_file(str(file))

    def count(text: str) -> int:
        return len(tokenizer.encode(text, add_special_tokens=False).ids)

    return count, "tokenizer"
