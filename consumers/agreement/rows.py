"""The rows that agreement is measured on: one item, what people said of it and what the judge said.

    {"item": "q1", "human": "A", "judge": "B", "cluster": "prompt-7", "slice": "refunds"}
    {"item": "q2", "human_1": "A", "human_2": "tie", "human_3": "A", "judge": "A"}

Labels are any strings. A judge of null or "" is a verdict that could not be parsed; a human_N of
null or left out is a person who did not label the item. Where model_a and model_b name what A and
B are, labels of A, B, model_a and model_b give the models' win rates too.
"""

import json
import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from schemas.errors import ConfigError

_HUMAN = re.compile(r"human_[0-9]+")
_FIELDS = ("item", "human", "judge", "cluster", "slice", "model_a", "model_b")


@dataclass(frozen=True, kw_only=True)
class AgreementRow:
    """One item. ``humans`` are the labels by column (``human_1`` …), where there are several.

    ``human`` is the label that the judge is held against: the one given, else the one that more
    people gave than any other; None where nobody labelled or the vote is tied.
    """

    item: str
    human: str | None
    judge: str | None
    cluster: str | None
    slice: str | None
    humans: dict[str, str]
    models: tuple[str, str] | None = None


@dataclass(frozen=True, kw_only=True)
class AgreementRows:
    """The rows of a file, each item once; ``repeated`` counts lines that said the same again."""

    rows: tuple[AgreementRow, ...]
    repeated: int


def read_rows(path: Path) -> AgreementRows:
    """The rows of a JSON Lines file.

    Raises ``ConfigError`` with file, line and remedy where it cannot be read, a line is no row, or
    an item comes twice with other labels; also where there is no row at all.
    """
    try:
        raw = path.read_bytes()
    except OSError as error:
        raise ConfigError(f"{path} cannot be read ({error.strerror}); name a file") from None
    found: dict[str, tuple[int, AgreementRow]] = {}
    repeated = 0
    for number, line in enumerate(raw.split(b"\n"), 1):
        if not line.strip():
            continue
        try:
            row = parse_row(json.loads(line, parse_constant=_no_constant))
        except (ValueError, RecursionError) as error:
            raise ConfigError(f"{path}, line {number}: {error}") from None
        first = found.setdefault(row.item, (number, row))
        if first[1] != row:
            raise ConfigError(
                f"{path}, line {number}: item {row.item!r} has other labels than in line "
                f"{first[0]}; keep one row an item (several people are human_1, human_2, …)"
            )
        repeated += first[0] != number
    if not found:
        raise ConfigError(f"{path} holds no row; a row is {{'item', 'human', 'judge'}}")
    return AgreementRows(rows=tuple(row for _, row in found.values()), repeated=repeated)


def parse_row(value: Any) -> AgreementRow:
    """The row of a JSON object; raises ValueError naming the wrong field and what it may be."""
    if not isinstance(value, dict):
        raise ValueError("a row is an object with item, human and judge")
    unknown = [key for key in value if key not in _FIELDS and not _HUMAN.fullmatch(key)]
    if unknown:
        raise ValueError(
            f"unknown field {unknown[0]!r}; a row has item, human (or human_1, human_2, …), judge "
            "and, where wanted, cluster, slice, model_a and model_b"
        )
    texts = {key: _text(key, label) for key, label in value.items()}
    if not texts.get("item"):
        raise ValueError("a row needs an item: any text that names it")
    if "judge" not in value:
        raise ValueError("a row needs a judge; null where its verdict could not be parsed")
    humans = {key: label for key, label in sorted(texts.items()) if _HUMAN.fullmatch(key) and label}
    if not texts.get("human") and not any(_HUMAN.fullmatch(key) for key in value):
        raise ValueError("a row needs a human label: human, or human_1, human_2, …")
    return AgreementRow(
        item=texts["item"] or "",
        human=texts.get("human") or majority(humans.values()),
        judge=texts["judge"] or None,
        cluster=texts.get("cluster"),
        slice=texts.get("slice"),
        humans=humans,
        models=_models(texts),
    )


def majority(labels: Iterable[str]) -> str | None:
    """The label given more often than any other; None where there is none or several lead."""
    counts = Counter(labels).most_common(2)
    if not counts or (len(counts) == 2 and counts[0][1] == counts[1][1]):
        return None
    return counts[0][0]


def _models(texts: dict[str, str | None]) -> tuple[str, str] | None:
    a, b = texts.get("model_a"), texts.get("model_b")
    if (a is None) is not (b is None):
        raise ValueError("model_a and model_b go together; give both or none")
    return None if a is None or b is None else (a, b)


def _text(key: str, value: Any) -> str | None:
    if value is None or isinstance(value, str):
        return value
    raise ValueError(f"{key} must be a text, not {json.dumps(value)[:40]}; put it in quotes")


def _no_constant(name: str) -> None:
    raise ValueError(f"{name} is no JSON")
