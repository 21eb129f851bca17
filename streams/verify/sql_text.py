"""The SQL in an answer, found by rule."""

import re
from dataclasses import dataclass
from typing import Final

_FENCE: Final = re.compile(
    r"^[ \t]*(?P<mark>`{3,}|~{3,})[ \t]*(?P<label>[\w+-]*)[^\n]*\n(?P<body>.*?)"
    r"(?:^[ \t]*(?P=mark)[ \t]*$|\Z)",
    re.DOTALL | re.MULTILINE,
)
_SQL_LABELS: Final = frozenset({"sql", "duckdb", "sqlite", "sqlite3", "postgresql", "postgres"})


@dataclass(frozen=True, kw_only=True)
class ExtractedSql:
    """The query, and by which rule it was found among how many fenced blocks."""

    sql: str
    rule: str
    blocks: int


def extract_sql(answer: str) -> ExtractedSql | None:
    """The first block fenced as SQL, else the first without a label, else the whole text.

    The first and not the best: an answer may not hold several tries of which one is right. None
    where that leaves nothing.
    """
    fences = [(match["label"].lower(), match["body"]) for match in _FENCE.finditer(answer)]
    for rule, labels in (("sql_fence", _SQL_LABELS), ("plain_fence", frozenset({""}))):
        for label, body in fences:
            if label in labels:
                return _found(body, rule, len(fences))
    return _found(answer, "whole_text", len(fences))


def _found(text: str, rule: str, blocks: int) -> ExtractedSql | None:
    sql = text.strip()
    return ExtractedSql(sql=sql, rule=rule, blocks=blocks) if sql else None
