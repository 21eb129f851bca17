"""JSON Lines files into models, with the file, the line and what is wrong there in every error."""

from collections.abc import Iterator
from pathlib import Path
from typing import TypeVar

from pydantic import BaseModel, ValidationError

from schemas.errors import ConfigError

M = TypeVar("M", bound=BaseModel)


def load_jsonl(path: Path, model: type[M]) -> Iterator[M]:
    """Each line of the file as a ``model``, blank lines left out; one line is held at a time.

    Raises ``ConfigError`` for a line that is none (``FILE, line N: field: what is wrong``), and
    where the file cannot be read.
    """
    try:
        with path.open("rb") as file:
            for number, line in enumerate(file, 1):
                if line.strip():
                    yield _row(path, number, line, model)
    except OSError as error:
        raise ConfigError(f"{path} cannot be read ({error.strerror}); name a file") from None


def _row(path: Path, number: int, line: bytes, model: type[M]) -> M:
    try:
        return model.model_validate_json(line)
    except ValidationError as error:
        wrong = error.errors(include_url=False)[0]
        place = ".".join(map(str, wrong["loc"])) or "the line"
        raise ConfigError(f"{path}, line {number}: {place}: {wrong['msg']}") from None
