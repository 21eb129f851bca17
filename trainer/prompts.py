"""Prompts to ask policies, and those to evaluate them on: with what answers are checked against."""

from collections.abc import Iterable
from pathlib import Path
from typing import Self, TypeVar

from pydantic import Field, JsonValue, TypeAdapter, ValidationError

from schemas.errors import ConfigError
from schemas.events import Completion, Messages, PromptEvent
from schemas.ids import prompt_id
from schemas.line_problem import line_problem
from schemas.records import Expectation, Passage, Record

_OBJECT = TypeAdapter(dict[str, JsonValue])


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


P = TypeVar("P", bound=Prompt)


def read_prompts(path: Path, kind: type[P], workload_id: str) -> tuple[P, ...]:
    """The prompts of a JSON Lines file, an object of ``kind`` a line; of one id the first.

    Those that name no workload are of ``workload_id``; one without a ``prompt_id`` has that which
    completions of its messages have there. Raises ``ConfigError``, which names file and line.
    """
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: cannot be read as UTF-8 text: {error}") from None
    prompts: dict[str, P] = {}
    for number, line in enumerate(lines, 1):
        if line.strip():
            try:
                prompt = _prompt(line, kind, workload_id)
            except ValidationError as error:
                raise ConfigError(f"{path}:{number}: {line_problem(error)}") from None
            prompts.setdefault(prompt.prompt_id, prompt)
    if not prompts:
        raise ConfigError(f"{path}: holds no prompts; name a file with one JSON object a line")
    return tuple(prompts.values())


def _prompt(line: str, kind: type[P], workload_id: str) -> P:
    given = {"workload_id": workload_id} | _OBJECT.validate_json(line)
    if "prompt_id" in given:
        return kind.model_validate(given)
    named = kind.model_validate(given | {"prompt_id": "that of its messages"})
    turns = [(turn.role, turn.content) for turn in named.messages]
    return named.model_copy(update={"prompt_id": prompt_id(named.workload_id, turns)})


def prompt_ids(prompts: Iterable[Prompt]) -> frozenset[str]:
    """Their ids: what freeze has to keep out of a dataset."""
    return frozenset(prompt.prompt_id for prompt in prompts)
