"""Prompts to evaluate a policy on: a prompt with what its answers are checked against."""

from collections.abc import Iterable
from pathlib import Path
from typing import Self

from pydantic import Field, ValidationError

from schemas.errors import ConfigError
from schemas.events import Completion, Messages, PromptEvent
from schemas.records import Expectation, Passage, Record


class Prompt(Record):
    """One prompt to ask policies; without expectations only the checks that need none are run.

    Its fields are those of the events that are made of it: ``CandidateSet(**dict(prompt), …)``.
    """

    prompt_id: str = Field(min_length=1)
    workload_id: str = "default"
    messages: Messages
    expectations: tuple[Expectation, ...] = ()
    context: tuple[Passage, ...] = ()
    slice: str = "default"

    @classmethod
    def of(cls, event: PromptEvent | Completion) -> Self:
        """The prompt of a completion, candidate set, verification or comparison."""
        return cls(
            prompt_id=event.prompt_id,
            workload_id=event.workload_id,
            messages=event.messages,
            expectations=event.expectations,
            context=event.context,
            slice=event.slice,
        )


class EvaluationPrompt(Prompt):
    """One prompt that is held out of training, with what its answers are checked against."""

    expectations: tuple[Expectation, ...] = Field(min_length=1)


def read_prompts(path: Path) -> tuple[EvaluationPrompt, ...]:
    """The prompts of a JSON Lines file; ``ConfigError`` names the file and line."""
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: cannot be read as UTF-8 text: {error}") from None
    prompts = tuple(
        _prompt(path, number, line) for number, line in enumerate(lines, 1) if line.strip()
    )
    if not prompts:
        raise ConfigError(f"{path}: holds no prompts; name a file with one JSON object a line")
    return prompts


def _prompt(path: Path, number: int, line: str) -> EvaluationPrompt:
    try:
        return EvaluationPrompt.model_validate_json(line)
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(map(str, first["loc"])) or "the line"
        raise ConfigError(f"{path}:{number}: {place}: {first['msg']}; correct the line") from None


def prompt_ids(prompts: Iterable[Prompt]) -> frozenset[str]:
    """Their ids: what freeze has to keep out of a dataset."""
    return frozenset(prompt.prompt_id for prompt in prompts)
