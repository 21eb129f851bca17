"""A text into the tree of one query, bounded before and while it is parsed.

This parser runs in the worker, not in the sandbox, so nothing a text says may cost it much: length,
nesting and brackets are bounded on the tokens, and the nodes that the parser makes while it
backtracks (a type nested twenty times in a cast, in 100 characters, kept it busy for minutes).
"""

import unicodedata
from functools import cache
from typing import Any, Final

from sqlglot import exp
from sqlglot.dialects.dialect import Dialect as SqlglotDialect
from sqlglot.errors import ParseError, SqlglotError
from sqlglot.tokenizer_core import Token, TokenType

from streams.verify.sandbox.database import Dialect
from streams.verify.sql_rejection import Broken

MAX_SQL_BYTES: Final = 8 * 1024
# sqlglot recurses some 26 frames a nested query: at 38 Python's own limit would end it.
MAX_NESTING: Final = 32
# The parser annotates a chain x[1][1]… in quadratic time: 400 cost a second, 64 some 50 ms.
_MAX_BRACKETS: Final = 64
# Ordinary queries make about one node a token.
_NODES_A_TOKEN: Final = 10
_NODES_AT_LEAST: Final = 500

_OPENING: Final = frozenset(
    {TokenType.L_PAREN, TokenType.L_BRACKET, TokenType.L_BRACE, TokenType.CASE}
)
_CLOSING: Final = frozenset({TokenType.R_PAREN, TokenType.R_BRACKET, TokenType.R_BRACE})
_TEXTS: Final = frozenset(
    {TokenType.STRING, TokenType.RAW_STRING, TokenType.BYTE_STRING, TokenType.HEREDOC_STRING}
)
_FIRST: Final = frozenset(
    {TokenType.SELECT, TokenType.WITH, TokenType.FROM, TokenType.TABLE, TokenType.L_PAREN}
)
_QUERIES: Final = (exp.Select, exp.SetOperation)


def tokens_of(sql: str, dialect: Dialect) -> list[Token]:
    """The tokens of a text of bearable size; raises Broken."""
    size = len(sql) if sql.isascii() else len(sql.encode("utf-8", "replace"))
    if size > MAX_SQL_BYTES:
        reason = f"at most {MAX_SQL_BYTES} bytes are read"
        raise Broken("too_long", f"{size} bytes", reason, at=MAX_SQL_BYTES)
    if not sql.isascii() or "\0" in sql:
        for position, character in enumerate(sql):
            if character == "\0" or 0xD800 <= ord(character) <= 0xDFFF:
                raise Broken("not_text", repr(character), "no text", at=position)
    tokenizer = _dialect(dialect).tokenizer()
    try:
        return tokenizer.tokenize(sql)
    except SqlglotError as error:
        place = max(0, min(len(sql) - 1, _last_start(tokenizer)))
        raise Broken("unparsable", sql[place : place + 20], _first_line(error), at=place) from None


def parse_query(sql: str, dialect: Dialect) -> tuple[exp.Expr, list[Token]]:
    """The tree of the one query that ``sql`` is, and its tokens; raises Broken."""
    tokens = tokens_of(sql, dialect)
    _bound(tokens, sql)
    tree = _parse(tokens, sql, dialect)
    if not isinstance(tree.unnest(), _QUERIES):
        raise _not_a_query(tokens[0])
    return tree, tokens


def _bound(tokens: list[Token], sql: str) -> None:
    if not tokens:
        raise Broken("one_statement", "", "there is no statement", at=None)
    depth = cases = brackets = 0
    ended = False
    is_ascii = sql.isascii()
    for token in tokens:
        kind = token.token_type
        if kind is TokenType.SEMICOLON:
            ended = True
        elif ended:
            raise Broken("one_statement", token.text, "exactly one statement", at=token.start)
        if kind in _OPENING:
            depth += 1
            cases += kind is TokenType.CASE
            brackets += kind is TokenType.L_BRACKET
            if depth > MAX_NESTING:
                reason = f"nested deeper than {MAX_NESTING}"
                raise Broken("too_deep", token.text, reason, at=token.start)
            if brackets > _MAX_BRACKETS:
                reason = f"more than {_MAX_BRACKETS} brackets"
                raise Broken("too_deep", token.text, reason, at=token.start)
        elif kind in _CLOSING:
            depth -= 1
        elif kind is TokenType.END and cases:
            cases -= 1
            depth -= 1
        if not is_ascii and kind not in _TEXTS:
            _refuse_invisible(token)
    if tokens[0].token_type not in _FIRST:
        raise _not_a_query(tokens[0])


def _refuse_invisible(token: Token) -> None:
    """Outside of texts, what cannot be seen can only mislead who reads the query."""
    for character in token.text:
        if unicodedata.category(character) in ("Cf", "Cc", "Co", "Cn"):
            name = f"U+{ord(character):04X}"
            raise Broken("not_text", name, "an invisible character in a name", at=token.start)


def _not_a_query(token: Token) -> Broken:
    reason = "only SELECT and set operations may run"
    return Broken("only_queries", token.text, reason, at=token.start)


def _parse(tokens: list[Token], sql: str, dialect: Dialect) -> exp.Expr:
    parser: Any = _dialect(dialect).parser(
        error_message_context=MAX_SQL_BYTES,
        max_nodes=_NODES_AT_LEAST + _NODES_A_TOKEN * len(tokens),
    )
    try:
        trees: list[exp.Expr] = [each for each in parser.parse(tokens, sql) if each is not None]
    except (ParseError, RecursionError) as error:
        if isinstance(error, ParseError) and parser._node_count <= parser.max_nodes:
            raise _unparsable(error) from None
        token = tokens[min(max(parser._index, 0), len(tokens) - 1)]
        reason = "nested too deeply to be read"
        raise Broken("too_deep", token.text, reason, at=token.start) from None
    except (SqlglotError, ValueError, TypeError, AttributeError, KeyError, IndexError) as error:
        # sqlglot builds some calls without looking at what they were given
        token = tokens[min(max(parser._index, 0), len(tokens) - 1)]
        raise Broken("unparsable", token.text, _first_line(error), at=token.start) from None
    if len(trees) != 1:
        found = f"{len(trees)} statements"
        raise Broken("one_statement", found, "exactly one statement", at=tokens[0].start)
    return trees[0]


def _unparsable(error: ParseError) -> Broken:
    # the context is as long as a text may be, so what stands before the token is all of it
    found = error.errors[0] if error.errors else {}
    position = len(str(found.get("start_context", "")))
    token = str(found.get("highlight") or "the end")
    reason = f"no query of this dialect: {found.get('description') or _first_line(error)}"
    return Broken("unparsable", token, reason, at=position)


@cache
def _dialect(dialect: Dialect) -> SqlglotDialect:
    return SqlglotDialect.get_or_raise(dialect)


def _last_start(tokenizer: Any) -> int:
    """Where the token began that could not be ended."""
    core = getattr(tokenizer, "_core", tokenizer)
    return int(getattr(core, "_start", 0))


def _first_line(error: Exception) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0]
