"""The SQL gate: what a query may be, read from its syntax tree before anything runs it.

It does not stand alone: engines are hardened, DuckDB's own parser and SQLite's authorizer are asked
again in the child, and the child has nothing to lose. The gate is what says why, with the place.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final, Literal

import sqlglot
from sqlglot import exp
from sqlglot.errors import SqlglotError
from sqlglot.tokenizer_core import Token, TokenType

from streams.verify.sandbox.database import Dialect
from streams.verify.sql_functions import ALLOWED
from streams.verify.sql_nodes import QUERIES, function_names, is_canonical, is_plain
from streams.verify.sql_scope import cte_of

VERSION: Final = "1"

MAX_SQL_BYTES: Final = 8 * 1024
# sqlglot recurses some twenty frames a parenthesis: at 45 Python's own limit would end it.
_MAX_NESTING: Final = 40

Rule = Literal[
    "too_long",
    "not_text",
    "too_deep",
    "unparsable",
    "one_statement",
    "only_queries",
    "syntax",
    "table",
    "table_function",
    "cte_shadows_table",
    "function",
    "session_value",
    "non_deterministic",
]

_OPENING: Final = (TokenType.L_PAREN, TokenType.L_BRACKET, TokenType.L_BRACE)
_CLOSING: Final = (TokenType.R_PAREN, TokenType.R_BRACKET, TokenType.R_BRACE)
_GENERATORS: Final = (exp.GenerateSeries, exp.Explode, exp.Unnest)
# Words that engines answer from the session where no column has their name.
_SESSION_WORDS: Final = frozenset(
    {"user", "current_user", "session_user", "current_role", "current_catalog", "current_schema"}
    | {"current_database", "current_query", "current_date", "current_time", "current_timestamp"}
    | {"localtime", "localtimestamp"}
)
# Texts that engines read as the clock where a date is wanted.
_CLOCK_WORDS: Final = frozenset({"now", "today", "tomorrow", "yesterday"})


@dataclass(frozen=True, kw_only=True)
class GatedSql:
    """A query that may run, with its tree (of the given dialect)."""

    sql: str
    tree: exp.Expr


@dataclass(frozen=True, kw_only=True)
class Rejection:
    """Which rule a query broke, by which token, and at which character (0-based, where known)."""

    rule: Rule
    token: str
    position: int | None
    reason: str

    def __str__(self) -> str:
        place = "" if self.position is None else f" at character {self.position}"
        return f"{self.rule}: {self.reason} ({self.token[:80]!r}{place})"


def gate_sql(
    sql: str, *, dialect: Dialect, tables: Mapping[str, frozenset[str]]
) -> GatedSql | Rejection:
    """Let one harmless query over ``tables`` (lower-case names with their columns) pass."""
    rejection = _text_rejection(sql, dialect)
    if rejection is not None:
        return rejection
    try:
        statements = [tree for tree in sqlglot.parse(sql, dialect=dialect) if tree is not None]
    except (SqlglotError, RecursionError, ValueError) as error:
        return _reject("unparsable", _first_line(error), "no query of this dialect")
    if len(statements) != 1:
        return _reject("one_statement", str(len(statements)), "exactly one statement is wanted")
    tree = statements[0]
    if not isinstance(tree.unnest(), QUERIES):
        return _reject("only_queries", tree.key.upper(), "only SELECT and set operations may run")
    for broken in _violations(tree, dialect, tables):
        return broken
    return GatedSql(sql=sql, tree=tree)


def _text_rejection(sql: str, dialect: Dialect) -> Rejection | None:
    size = len(sql.encode("utf-8", "replace"))
    if size > MAX_SQL_BYTES:
        return _reject("too_long", f"{size} bytes", f"at most {MAX_SQL_BYTES} bytes are read")
    for position, character in enumerate(sql):
        if character == "\0" or 0xD800 <= ord(character) <= 0xDFFF:
            return Rejection(
                rule="not_text", token=repr(character), position=position, reason="no text"
            )
    try:
        tokens = sqlglot.tokenize(sql, dialect=dialect)
    except SqlglotError as error:
        return _reject("unparsable", _first_line(error), "no query of this dialect")
    return _depth_rejection(tokens)


def _depth_rejection(tokens: list[Token]) -> Rejection | None:
    depth = 0
    for token in tokens:
        depth += (token.token_type in _OPENING) - (token.token_type in _CLOSING)
        if depth > _MAX_NESTING:
            return Rejection(
                rule="too_deep",
                token=token.text,
                position=token.start,
                reason=f"nested deeper than {_MAX_NESTING}",
            )
    return None


def _violations(
    tree: exp.Expr, dialect: Dialect, tables: Mapping[str, frozenset[str]]
) -> Iterator[Rejection]:
    columns = frozenset[str]().union(*tables.values()) if tables else frozenset[str]()
    for node in tree.walk():
        if isinstance(node, exp.Table):
            yield from _table(node, dialect, tables)
        elif isinstance(node, exp.CTE) and node.alias.lower() in tables:
            yield _at("cte_shadows_table", node, node.alias, "this name is a table's")
        elif isinstance(node, exp.Func):
            yield from _function(node, dialect)
        elif isinstance(node, exp.Column) and not node.table:
            name = node.name.lower()
            if name in _SESSION_WORDS and name not in columns and not node.this.quoted:
                yield _at("session_value", node, node.name, "an answer may not depend on who asks")
        elif not is_plain(node):
            yield _at("syntax", node, node.key.upper(), "a query may not contain this")


def _table(
    node: exp.Table, dialect: Dialect, tables: Mapping[str, frozenset[str]]
) -> Iterator[Rejection]:
    if not isinstance(node.this, exp.Identifier):
        if dialect != "duckdb" or not isinstance(node.this, _GENERATORS):
            yield _at("table_function", node, node.name, "no table functions but generators")
        return
    name = node.name.lower()
    is_qualified = bool(node.db or node.catalog)
    if is_qualified and (node.db.lower() != "main" or node.catalog):
        yield _at("table", node, node.sql(dialect), "only tables of this database may be read")
    elif name not in tables and (is_qualified or cte_of(node) is None):
        yield _at("table", node, node.name, "no table that may be read")


def _function(node: exp.Func, dialect: Dialect) -> Iterator[Rejection]:
    names = list(function_names(node))
    if names and not any(name in ALLOWED[dialect] or is_canonical(name) for name in names):
        yield _at("function", node, names[0], "no function that may be called")
    for argument in node.iter_expressions():
        if isinstance(argument, exp.Literal) and argument.is_string:
            word = argument.this.strip().lower()
            if word in _CLOCK_WORDS and not isinstance(node, (exp.Coalesce, exp.If, exp.Case)):
                yield _at("non_deterministic", node, word, "an answer may not depend on the clock")


def _reject(rule: Rule, token: str, reason: str) -> Rejection:
    return Rejection(rule=rule, token=token, position=None, reason=reason)


def _at(rule: Rule, node: exp.Expr, token: str, reason: str) -> Rejection:
    starts = (part.meta.get("start") for part in node.walk())
    position = next((start for start in starts if start is not None), None)
    return Rejection(rule=rule, token=token, position=position, reason=reason)


def _first_line(error: Exception) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0]
