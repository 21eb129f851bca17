"""The SQL gate: what a query may be, read from its syntax tree before anything runs it.

It does not stand alone: engines are hardened, DuckDB's own parser and SQLite's authorizer are asked
again in the child, and the child has nothing to lose. The gate is what says why, with the place.

A query must read tables that are allowed, by names that exist there, and at least one of its
output columns must depend on their rows: a constant answer is no answer, even where it is the right
one. That is decided by syntax (see ``sql_expressions``): a query that goes through the rows and
comes out constant all the same is for several database instances to find.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final

from sqlglot import exp
from sqlglot.tokenizer_core import Token

from streams.verify.sandbox.database import Dialect
from streams.verify.sql_bind import Binder
from streams.verify.sql_parse import MAX_SQL_BYTES, parse_query
from streams.verify.sql_rejection import Broken, Rejection, Rule

VERSION: Final = "3"

__all__ = ["MAX_SQL_BYTES", "VERSION", "GatedSql", "Rejection", "Rule", "gate_sql"]


@dataclass(frozen=True, kw_only=True)
class GatedSql:
    """A query that may run, with its tree (of the given dialect)."""

    sql: str
    tree: exp.Expr


def gate_sql(
    sql: str,
    *,
    dialect: Dialect,
    tables: Mapping[str, frozenset[str]],
) -> GatedSql | Rejection:
    """Let one harmless query over ``tables`` (lower-case names with their columns) pass."""
    tokens: list[Token] = []
    try:
        tree, tokens = parse_query(sql, dialect)
        output = Binder(sql, dialect, tables).bind(tree)
        if not output.depends:
            token = tree.sql(dialect, comments=False)[:80]
            reason = "no output column depends on rows of a table"
            raise Broken("constant_answer", token, reason, at=_first_output(tree))
    except Broken as broken:
        return _placed(broken.rejection, tokens)
    except RecursionError:
        return Rejection(
            rule="too_deep", token=sql[:20], position=0, reason="nested too deeply to be read"
        )
    return GatedSql(sql=sql, tree=tree)


def _first_output(tree: exp.Expr) -> exp.Expr:
    query = tree.unnest()
    outputs = query.selects if isinstance(query, exp.Query) else []
    return outputs[0] if outputs else query


def _placed(rejection: Rejection, tokens: list[Token]) -> Rejection:
    """With the place of the token, or of the statement, where the tree has kept none; a function
    by the name that the text calls it, which is not always the parser's.
    """
    if not tokens:
        return rejection
    word = rejection.token.lower()
    named = next((token for token in tokens if token.text.lower() == word), None)
    if rejection.position is None:
        return replace(rejection, position=(named or tokens[0]).start)
    if rejection.rule == "function":
        at = next((token for token in tokens if token.start == rejection.position), None)
        written = named or at
        if written is not None:
            return replace(rejection, token=written.text, position=written.start)
    return rejection
