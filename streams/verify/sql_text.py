"""The SQL in an answer, found by rule."""

from dataclasses import dataclass
from typing import Final

from streams.verify.fenced_blocks import fenced_blocks

SQL_LABELS: Final = frozenset({"sql", "duckdb", "sqlite", "sqlite3", "postgresql", "postgres"})


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
    blocks = fenced_blocks(answer)
    for rule, labels in (("sql_fence", SQL_LABELS), ("plain_fence", frozenset({""}))):
        for block in blocks:
            if block.label in labels:
                return _found(block.body, rule, len(blocks))
    return _found(answer, "whole_text", len(blocks))


def _found(text: str, rule: str, blocks: int) -> ExtractedSql | None:
    sql = text.strip()
    return ExtractedSql(sql=sql, rule=rule, blocks=blocks) if sql else None
