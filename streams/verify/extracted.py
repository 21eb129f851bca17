"""The SQL, JSON or Python in an answer, found by rule."""

from collections.abc import Set
from dataclasses import dataclass, replace
from typing import Final

from streams.verify.fenced_blocks import fenced_blocks

SQL_LABELS: Final = frozenset({"sql", "duckdb", "sqlite", "sqlite3", "postgresql", "postgres"})
_JSON_LABELS: Final = frozenset({"json"})
_PYTHON_LABELS: Final = frozenset({"python", "python3", "py"})


@dataclass(frozen=True, kw_only=True)
class Extracted:
    """What is to be checked, and by which rule it was found among how many fenced blocks."""

    text: str
    rule: str
    blocks: int


def extract_sql(answer: str) -> Extracted | None:
    """The query; None where there is nothing."""
    return _stripped(_extract(answer, "sql", SQL_LABELS))


def extract_json(answer: str) -> Extracted | None:
    """The document's text; None where there is nothing."""
    return _stripped(_extract(answer, "json", _JSON_LABELS))


def extract_code(answer: str) -> Extracted | None:
    """The Python code; None where there is nothing."""
    return _extract(answer, "python", _PYTHON_LABELS)


def _extract(answer: str, language: str, labels: Set[str]) -> Extracted | None:
    """The first block fenced as the language, else the first without a label, else the whole text.

    The first and not the best: an answer may not hold several tries of which one is right.
    """
    blocks = fenced_blocks(answer)
    text, rule = answer, "whole_text"
    for block in blocks:
        if block.label in labels:
            text, rule = block.body, f"{language}_fence"
            break
        if not block.label and rule == "whole_text":
            text, rule = block.body, "plain_fence"
    return Extracted(text=text, rule=rule, blocks=len(blocks)) if text.strip() else None


def _stripped(found: Extracted | None) -> Extracted | None:
    return found and replace(found, text=found.text.strip())
