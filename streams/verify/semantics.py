"""The named meanings of "the same result": how queries are prepared, and how results compare."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Final

import sqlglot
from sqlglot.errors import SqlglotError
from sqlglot.tokenizer_core import TokenType

from streams.verify.result_match import Comparer, MatchRules, bird_set, result_match, spider_exec
from streams.verify.sandbox.database import Dialect

_TORN_OPERATORS: Final = (("> =", ">="), ("< =", "<="), ("! =", "!="))
_THIS_YEAR: Final = re.compile(r"YEAR\s*\(\s*CURDATE\s*\(\s*\)\s*\)\s*", re.IGNORECASE)


@dataclass(frozen=True, kw_only=True)
class Semantics:
    """``prepare`` is applied to the gold query and to the candidate's alike before they run."""

    name: str
    prepare: Callable[[str, Dialect], str]
    compare: Comparer


def semantics(name: str, rules: MatchRules | None = None) -> Semantics:
    """The semantics of that name; KeyError for any other. The rules change ``result_match`` only:
    the official ones are as they are.
    """
    prepare, compare = _SEMANTICS[name]
    if rules is not None and compare is result_match:
        compare = partial(result_match, rules=rules)
    return Semantics(name=name, prepare=prepare, compare=compare)


def as_spider_does(sql: str, dialect: Dialect) -> str:
    """What the official Spider evaluator runs in place of ``sql`` by default: mended, and DISTINCT
    taken out everywhere.
    """
    sql = mended(sql, dialect)
    try:
        tokens = sqlglot.tokenize(sql, dialect=dialect)
    except SqlglotError:
        return sql  # the gate will say so
    for token in reversed(tokens):
        if token.token_type is TokenType.DISTINCT:
            sql = sql[: token.start] + sql[token.end + 1 :]
    return sql


def mended(sql: str, _: Dialect) -> str:
    """The query with operators that tokenisation tore apart joined, and the current year 2020."""
    for torn, whole in _TORN_OPERATORS:
        sql = sql.replace(torn, whole)
    return _THIS_YEAR.sub("2020", sql)


def _as_written(sql: str, _: Dialect) -> str:
    return sql


_SEMANTICS: Final[dict[str, tuple[Callable[[str, Dialect], str], Comparer]]] = {
    "result_match": (_as_written, result_match),
    "spider_exec": (as_spider_does, spider_exec),
    # the official evaluator with --keep_distinct
    "spider_exec_keep_distinct": (mended, spider_exec),
    "bird_set": (_as_written, bird_set),
}
