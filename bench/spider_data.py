"""Spider's files: questions, databases, predictions, official labels."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from schemas.errors import ConfigError
from schemas.events import CandidateSet
from schemas.ids import captured_id, derived_id, prompt_id
from schemas.records import (
    Candidate,
    Expectation,
    ExpectationKind,
    Message,
    Origin,
    Purpose,
)

WORKLOAD = "spider"
# The files carry no times; one fixed moment makes every run give the same events.
_OCCURRED_AT = datetime(2024, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, kw_only=True)
class Question:
    """One question with its database and golden query."""

    number: int
    text: str
    database: str
    gold: str

    @property
    def expectation(self) -> Expectation:
        """How an answer to it is checked."""
        return Expectation(
            kind=ExpectationKind.GOLDEN_SQL, spec=self.gold, params={"database": self.database}
        )


@dataclass(frozen=True, kw_only=True)
class SpiderData:
    """The dev set: ``root`` holds ``database/NAME/NAME.sqlite``."""

    root: Path
    questions: tuple[Question, ...]


@dataclass(frozen=True, kw_only=True)
class System:
    """One system's predictions, one a question, in the order of the questions."""

    name: str
    answers: tuple[str, ...]


def load_spider(root: Path) -> SpiderData:
    """The dev set of a folder; raises ConfigError where a file is missing or malformed."""
    gold = [line.rpartition("\t") for line in _lines(root / "dev_gold.sql")]
    asked = _json(root / "dev.json")
    if not isinstance(asked, list) or len(asked) != len(gold):
        raise ConfigError(f"{root}: dev.json and dev_gold.sql must have an entry a question")
    return SpiderData(
        root=root,
        questions=tuple(
            Question(number=number, text=entry["question"], database=database, gold=sql)
            for number, (entry, (sql, _, database)) in enumerate(zip(asked, gold, strict=True))
        ),
    )


def load_predictions(path: Path) -> System:
    """One SQL query a line; what follows a tab (a database name) is left out."""
    name = path.stem
    return System(name=name, answers=tuple(line.split("\t")[0] for line in _lines(path)))


def load_labels(path: Path, variant: str = "EX") -> tuple[str, ...]:
    """What the official evaluator says, one a question: "ok", "wrong" or "error:…"."""
    labels = _json(path)
    if not isinstance(labels, dict) or not isinstance(labels.get(variant), list):
        raise ConfigError(f'{path}: expected a JSON object with the list "{variant}"')
    return tuple(str(label) for label in labels[variant])


def candidate_sets(data: SpiderData, systems: Sequence[System]) -> Iterator[CandidateSet]:
    """One set a question, holding the answer of every system."""
    for system in systems:
        if len(system.answers) != len(data.questions):
            raise ConfigError(
                f"{system.name} has {len(system.answers)} predictions for "
                f"{len(data.questions)} questions; give one line a question"
            )
    for question in data.questions:
        messages = (
            Message(role="system", content=f"Answer in SQLite SQL over {question.database}."),
            Message(role="user", content=question.text),
        )
        candidates = tuple(
            Candidate(
                completion_id=answer_id(system.name, question.number),
                output=system.answers[question.number],
                model=system.name,
                origin=Origin.IMPORT,
            )
            for system in systems
        )
        sources = [candidate.completion_id for candidate in candidates]
        yield CandidateSet(
            # some questions stand twice in the set: the number keeps them apart
            event_id=derived_id("CandidateSet", "import", sources, "", question.number),
            occurred_at=_OCCURRED_AT,
            workload_id=WORKLOAD,
            config_hash="",
            source_ids=tuple(sources),
            prompt_id=prompt_id(WORKLOAD, [(m.role, m.content) for m in messages]),
            messages=messages,
            expectations=(question.expectation,),
            purpose=Purpose.PRODUCTION,
            candidates=candidates,
        )


def answer_id(system: str, number: int) -> str:
    """Id of a system's answer to a question."""
    return captured_id(WORKLOAD, f"{system}:{number}")


def _lines(path: Path) -> list[str]:
    try:
        return [line.strip() for line in path.read_text(encoding="utf-8").splitlines()]
    except (OSError, UnicodeError) as error:
        raise ConfigError(f"{path}: {error}; --data must name the Spider folder") from error


def _json(path: Path) -> object:
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ConfigError(f"{path}: {error}") from error
