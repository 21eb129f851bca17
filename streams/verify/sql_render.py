"""SQL as a judge may see it: without comments, which say nothing to an engine but much to a reader.

What has no comment stays as it is, byte for byte. Names and texts of a query stay too: they are
part of what it answers.
"""

import re
from typing import Final

import sqlglot
from sqlglot.errors import SqlglotError
from sqlglot.tokenizer_core import Token

from streams.verify.extracted import SQL_LABELS
from streams.verify.fenced_blocks import fenced_blocks
from streams.verify.sandbox.database import Dialect
from streams.verify.sql_parse import parse_query
from streams.verify.sql_rejection import Broken

_MAY_COMMENT: Final = ("--", "/*")
# For a text that no tokenizer reads: it is no query, and what looks like a comment goes.
_LIKE_COMMENTS: Final = re.compile(r"--[^\n]*|/\*.*?(?:\*/|\Z)", re.DOTALL)
_SQL_START: Final = re.compile(r"\s*(?:--|/\*|\(*\s*(?:select|with|from)\b)", re.IGNORECASE)


def without_comments(sql: str, dialect: Dialect = "duckdb") -> str:
    """The query rendered again from its tokens: each as written, comments as one space."""
    if not any(mark in sql for mark in _MAY_COMMENT):
        return sql
    try:
        tokens = sqlglot.tokenize(sql, dialect=dialect)
    except (SqlglotError, ValueError):
        return _LIKE_COMMENTS.sub(" ", sql)
    return _rendered(sql, tokens)


def answer_without_sql_comments(answer: str) -> str:
    """The answer with ``without_comments`` applied to its fenced SQL, or to all of it where it is
    a bare query.
    """
    if not any(mark in answer for mark in _MAY_COMMENT):
        return answer
    parts: list[str] = []
    end = 0
    for block in fenced_blocks(answer):
        if block.label in SQL_LABELS or (not block.label and _SQL_START.match(block.body)):
            sql = without_comments(block.body, _dialect(block.label))
            parts += [answer[end : block.start], sql]
            end = block.end
    if not parts and _SQL_START.match(answer) and _is_query(answer):
        return without_comments(answer)
    return "".join([*parts, answer[end:]])


def _rendered(sql: str, tokens: list[Token]) -> str:
    parts: list[str] = []
    end = 0
    for token in tokens:
        parts += [_gap(sql[end : token.start]), sql[token.start : token.end + 1]]
        end = token.end + 1
    return "".join([*parts, _gap(sql[end:])])


def _gap(between: str) -> str:
    """What stands between two tokens: white space stays, a comment is a space or a line's end."""
    if not between.strip():
        return between
    return "\n" if between.endswith("\n") or "\n" in between.rstrip(" \t") else " "


def _dialect(label: str) -> Dialect:
    return "sqlite" if label.startswith("sqlite") else "duckdb"


def _is_query(text: str) -> bool:
    try:
        parse_query(text, "duckdb")
    except Broken:
        return False
    return True
